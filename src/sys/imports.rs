//! What the program and its libraries import.
//!
//! A thread hands its scheduling to threads and children that it makes. Whether a handler can make any is
//! told by the symbols that the loaded objects import.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::slice;

use libc::dl_phdr_info;
#[cfg(target_pointer_width = "32")]
use libc::{Elf32_Phdr as Segment, Elf32_Sym as Symbol};
#[cfg(target_pointer_width = "64")]
use libc::{Elf64_Phdr as Segment, Elf64_Sym as Symbol};

/// `ElfN_Dyn`: two words of the machine.
#[repr(C)]
struct Dynamic {
    tag: isize,
    value: usize,
}

const PT_DYNAMIC: u32 = 2;
const DT_NULL: isize = 0;
const DT_HASH: isize = 4;
const DT_STRTAB: isize = 5;
const DT_SYMTAB: isize = 6;
const DT_STRSZ: isize = 10;
const DT_GNU_HASH: isize = 0x6fff_fef5;

/// Ways to make a process that run no `pthread_atfork` handlers, or to look at or change how a thread is
/// scheduled.
const SCHEDULING: &[&CStr] = &[
    c"posix_spawn",
    c"posix_spawnp",
    c"popen",
    c"system",
    c"vfork",
    c"clone",
    c"__clone",
    c"wordexp",
    c"sched_getaffinity",
    c"sched_setaffinity",
    c"pthread_getaffinity_np",
    c"pthread_setaffinity_np",
    c"sched_getscheduler",
    c"sched_setscheduler",
    c"pthread_getschedparam",
    c"pthread_setschedparam",
    c"setpriority",
];

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imports {
    /// Objects loaded since the process began, so that a change is noticed cheaply.
    pub loaded: u64,
    /// Some object other than the C library can start processes behind our back, or cares about how its
    /// threads are scheduled; or one could not be read.
    pub scheduling: bool,
}

/// As [`look`], unless nothing has been loaded since `before`.
pub fn look_if_changed(before: Option<Imports>) -> Imports {
    match before {
        Some(before) if before.loaded == loaded() => before,
        _ => look(),
    }
}

fn loaded() -> u64 {
    unsafe extern "C" fn first(info: *mut dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
        // SAFETY: as in `each`; `data` is a number.
        unsafe { *data.cast::<u64>() = (*info).dlpi_adds };
        1
    }
    let mut loaded = 0_u64;
    // SAFETY: `data` is a number for the time of the call, as `first` expects.
    unsafe { libc::dl_iterate_phdr(Some(first), std::ptr::from_mut(&mut loaded).cast()) };
    loaded
}

/// Looks through the loaded objects. Takes the dynamic linker's lock.
pub fn look() -> Imports {
    let mut found = Imports { loaded: 0, scheduling: false };
    let data = std::ptr::from_mut(&mut found).cast::<c_void>();
    // SAFETY: `data` is an Imports for the time of the call, as `each` expects.
    unsafe { libc::dl_iterate_phdr(Some(each), data) };
    found
}

unsafe extern "C" fn each(info: *mut dl_phdr_info, _size: usize, data: *mut c_void) -> c_int {
    // SAFETY: the linker passes a live description, and `data` is what `look` gave.
    let (info, found) = unsafe { (&*info, &mut *data.cast::<Imports>()) };
    found.loaded = info.dlpi_adds;
    if !is_exempt(info) && imports_any(info, SCHEDULING).unwrap_or(true) {
        found.scheduling = true;
    }
    0
}

/// The C library itself calls what it offers only where somebody asks it to; this library is known.
fn is_exempt(info: &dl_phdr_info) -> bool {
    if info.dlpi_name.is_null() {
        return false;
    }
    // SAFETY: not null, so a string that lives as long as the object.
    let name = unsafe { CStr::from_ptr(info.dlpi_name) }.to_bytes();
    let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    const KNOWN: &[&[u8]] = &[
        b"libc.so",
        b"ld-linux",
        b"ld64.so",
        b"libpthread.so",
        b"libdl.so",
        b"librt.so",
        b"libm.so",
        b"linux-vdso",
        b"linux-gate",
        b"libgcc_s.so",
    ];
    KNOWN.iter().any(|known| base.starts_with(known)) || holds_this_code(info)
}

fn segments(info: &dl_phdr_info) -> &[Segment] {
    // SAFETY: the linker's description of a loaded object.
    unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) }
}

fn holds_this_code(info: &dl_phdr_info) -> bool {
    let here = look as *const () as usize;
    // In a program that this library is linked into, the program's own imports count too.
    let main = info.dlpi_name.is_null() || {
        // SAFETY: see `is_exempt`.
        unsafe { *info.dlpi_name == 0 as c_char }
    };
    !main
        && segments(info).iter().any(|segment| {
            let start = (info.dlpi_addr as usize).wrapping_add(segment.p_vaddr as usize);
            segment.p_type == libc::PT_LOAD && here.wrapping_sub(start) < segment.p_memsz as usize
        })
}

/// Whether the object leaves one of these names undefined; `None` if it can't be read.
fn imports_any(info: &dl_phdr_info, names: &[&CStr]) -> Option<bool> {
    let base = info.dlpi_addr as usize;
    let segment = segments(info).iter().find(|segment| segment.p_type == PT_DYNAMIC)?;
    let mut at = base.wrapping_add(segment.p_vaddr as usize) as *const Dynamic;
    let (mut symbols, mut strings, mut size, mut hash, mut gnu_hash) = (0, 0, 0, 0, 0);
    loop {
        // SAFETY: a loaded object's dynamic section ends with DT_NULL, where this loop ends.
        let entry = unsafe { &*at };
        match entry.tag {
            DT_NULL => break,
            DT_SYMTAB => symbols = entry.value,
            DT_STRTAB => strings = entry.value,
            DT_STRSZ => size = entry.value,
            DT_HASH => hash = entry.value,
            DT_GNU_HASH => gnu_hash = entry.value,
            _ => {}
        }
        // SAFETY: not the last entry.
        at = unsafe { at.add(1) };
    }
    // The C library has made these addresses; on some architectures they are still offsets.
    let placed = |value: usize| if value < base { value + base } else { value };
    if symbols == 0 || strings == 0 {
        return None;
    }
    let (symbols, strings) = (placed(symbols), placed(strings));
    // SAFETY: the tables of a loaded object.
    let count = unsafe {
        match (hash, gnu_hash) {
            (0, 0) => None,
            (0, table) => hashed(placed(table) as *const u32),
            // The second word: all symbols.
            (table, _) => Some(*(placed(table) as *const u32).add(1) as usize),
        }
    };
    // If nothing is hashed: all linkers put the strings right behind the symbols.
    let behind = || Some(strings.checked_sub(symbols)? / size_of::<Symbol>());
    let count = count.or_else(behind)?;
    // SAFETY: the tables of a loaded object, as its hash table and DT_STRSZ say.
    let (symbols, strings) = unsafe {
        (
            slice::from_raw_parts(symbols as *const Symbol, count),
            slice::from_raw_parts(strings as *const u8, size),
        )
    };
    Some(symbols.iter().filter(|symbol| symbol.st_shndx == 0).any(|symbol| {
        let name = strings.get(symbol.st_name as usize..);
        let name = name.and_then(|name| CStr::from_bytes_until_nul(name).ok());
        name.is_some_and(|name| names.contains(&name))
    }))
}

/// How many symbols there are by the GNU hash table: those before the first one that is hashed, and the
/// chains. `None` if none is hashed. Undefined symbols whose address is taken can be hashed, too.
///
/// # Safety
/// `table` is a loaded object's.
unsafe fn hashed(table: *const u32) -> Option<usize> {
    // SAFETY: the header has four words; then come the Bloom filter, of words of the machine, the buckets, and
    // for each hashed symbol a word, whose lowest bit ends a chain.
    unsafe {
        let (buckets, first, bloom) = (*table, *table.add(1), *table.add(2));
        let start = table.add(4).cast::<usize>().add(bloom as usize).cast::<u32>();
        let starts = slice::from_raw_parts(start, buckets as usize);
        let mut last = starts.iter().copied().max().filter(|last| *last >= first && *last > 0)?;
        let chains = start.add(buckets as usize);
        while *chains.add((last - first) as usize) & 1 == 0 {
            last += 1;
        }
        Some(last as usize + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the main program imports the name.
    fn program_imports(name: &CStr) -> bool {
        struct Question<'a>(&'a CStr, Option<bool>);
        unsafe extern "C" fn first(
            info: *mut dl_phdr_info,
            _size: usize,
            data: *mut c_void,
        ) -> c_int {
            // SAFETY: as in `each`.
            let (info, question) = unsafe { (&*info, &mut *data.cast::<Question>()) };
            question.1 = imports_any(info, &[question.0]);
            1
        }
        let mut question = Question(name, None);
        let data = std::ptr::from_mut(&mut question).cast();
        // SAFETY: `data` outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(first), data) };
        question.1.expect("the program can be read")
    }

    #[test]
    fn imports_are_told_from_what_is_not_imported() {
        // The standard library uses both.
        assert!(program_imports(c"posix_spawnp") && program_imports(c"mmap64"));
        // Defined here, not imported.
        assert!(!program_imports(c"main"));
        assert!(!program_imports(c"wordexp") && !program_imports(c"posix_spaw"));
    }

    #[test]
    fn a_test_program_starts_processes() {
        let found = look();
        assert!(found.scheduling && found.loaded > 0);
    }
}
