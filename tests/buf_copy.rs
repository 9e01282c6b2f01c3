//! `buf::copy` against the system's `fuse_buf_copy`: the same random vectors through both, with
//! equal results, bytes, cursors and file offsets.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use ferrofuse::Errno;
use ferrofuse::buf::{self, CopyFlags, Segment, SegmentFlags, Vector};
use proptest::prelude::*;

type FuseBufCopy = unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> isize;

/// The system's function, or a test failure that names the package.
fn system_copy() -> FuseBufCopy {
    // SAFETY: the library's constructors are those of libfuse, which have no demands; the symbol
    // has the type that fuse_common.h declares.
    unsafe {
        let library = libc::dlopen(c"libfuse3.so.3".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        assert!(!library.is_null(), "libfuse3.so.3 not found: install the package libfuse3-3");
        let name: &CStr = c"fuse_buf_copy";
        let symbol = libc::dlsym(library, name.as_ptr().cast::<c_char>());
        assert!(!symbol.is_null(), "libfuse3.so.3 has no fuse_buf_copy: reinstall libfuse3-3");
        std::mem::transmute::<*mut c_void, FuseBufCopy>(symbol)
    }
}

const ARENA: usize = 40_000;
const MAX_SEGMENTS: usize = 5;

/// `struct fuse_bufvec` of SONAME 3.
#[repr(C)]
struct CVector {
    count: usize,
    idx: usize,
    off: usize,
    segments: [Segment; MAX_SEGMENTS],
}

#[derive(Clone, Debug)]
enum Kind {
    /// Memory at this offset of the arena both vectors share, so that segments overlap.
    Memory(usize),
    /// A regular file of this length whose own offset is here.
    File {
        len: usize,
        at: usize,
    },
    /// A pipe with this many bytes in it; as a destination, this much room is taken.
    Pipe {
        len: usize,
    },
    Closed,
}

#[derive(Clone, Debug)]
struct Plan {
    kind: Kind,
    size: usize,
    seek: Option<usize>,
    retry: bool,
    other_flags: u32,
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        2 => Just(0usize), 6 => 1usize..64, 3 => 4090usize..4100, 3 => 1usize..9000,
        1 => 8190usize..8194, 1 => Just(12_288usize)
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let kind = prop_oneof![
        6 => (0usize..ARENA - 13_000).prop_map(Kind::Memory),
        4 => (sizes(), sizes()).prop_map(|(len, at)| Kind::File { len, at }),
        4 => sizes().prop_map(|len| Kind::Pipe { len }),
        1 => Just(Kind::Closed),
    ];
    let seek = proptest::option::of(0usize..9000);
    let extra = prop_oneof![4 => Just(0u32), 1 => Just(1), 1 => Just(0x40)];
    (kind, sizes(), seek, any::<bool>(), extra).prop_map(
        |(kind, size, seek, retry, other_flags)| Plan { kind, size, seek, retry, other_flags },
    )
}

/// Segments and a cursor that points at a valid place, or just past the end.
fn vector() -> impl Strategy<Value = (Vec<Plan>, usize, usize)> {
    (proptest::collection::vec(plan(), 1..=MAX_SEGMENTS), 0usize..8, 0usize..13_000).prop_map(
        |(plans, idx, off)| {
            let idx = if idx < 5 { 0 } else { (idx - 5).min(plans.len()) };
            let off =
                plans.get(idx).map_or(0, |plan| if off % 3 == 0 { off.min(plan.size) } else { 0 });
            (plans, idx, off)
        },
    )
}

fn flags() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0u32),
        Just(2),
        Just(4),
        Just(8),
        Just(16),
        Just(4 | 16),
        Just(2 | 4),
        Just(28)
    ]
}

fn noise(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 131 + seed * 7919) ^ (i >> 7)) as u8).collect()
}

/// One run's memory and descriptors.
struct Stage {
    arena: Vec<u8>,
    files: Vec<File>,
    pipes: Vec<(File, File)>,
}

/// What a run left behind.
struct State {
    memory: Vec<u8>,
    /// Offset and content.
    files: Vec<(u64, Vec<u8>)>,
    /// What was still in them.
    pipes: Vec<Vec<u8>>,
}

impl Stage {
    fn new() -> Stage {
        Stage { arena: noise(1, ARENA), files: Vec::new(), pipes: Vec::new() }
    }

    fn open(&mut self, kind: &Kind, source: bool) -> RawFd {
        let seed = self.files.len() + 10 * self.pipes.len() + 2;
        match *kind {
            Kind::Memory(_) | Kind::Closed => -1,
            Kind::File { len, at } => {
                let mut file = tempfile();
                file.write_all(&noise(seed, len)).unwrap();
                file.seek(SeekFrom::Start(at as u64)).unwrap();
                self.files.push(file);
                self.files[self.files.len() - 1].as_raw_fd()
            }
            Kind::Pipe { len } => {
                let (reader, mut writer) = pipe();
                writer.write_all(&noise(seed, len)).unwrap();
                let fd = if source { reader.as_raw_fd() } else { writer.as_raw_fd() };
                self.pipes.push((reader, writer));
                fd
            }
        }
    }

    fn segment(&mut self, plan: &Plan, source: bool) -> Segment {
        let mut segment = match plan.kind {
            Kind::Memory(at) => Segment::memory(self.arena[at..].as_mut_ptr(), plan.size),
            ref kind => {
                let fd = self.open(kind, source);
                Segment::file(fd, plan.seek.map(|pos| pos as i64), plan.size)
            }
        };
        segment.flags.set(SegmentFlags::FD_RETRY, plan.retry);
        segment.flags |= SegmentFlags::from_bits_retain(plan.other_flags);
        segment
    }

    /// Everything a copy can have changed.
    fn state(mut self) -> State {
        let files = self.files.iter_mut().map(|file| {
            let at = file.stream_position().unwrap();
            let mut content = Vec::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut content).unwrap();
            (at, content)
        });
        let files = files.collect();
        let pipes = self.pipes.drain(..).map(|(mut reader, writer)| {
            drop(writer);
            let mut content = Vec::new();
            reader.read_to_end(&mut content).unwrap();
            content
        });
        let pipes = pipes.collect();
        State { memory: self.arena, files, pipes }
    }
}

fn tempfile() -> File {
    // SAFETY: the name is a C string; the result is a fresh descriptor.
    let fd = unsafe { libc::memfd_create(c"buf-copy".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0, "memfd_create: {}", Errno::last());
    // SAFETY: a descriptor just made, owned by nobody else.
    unsafe { OwnedFd::from_raw_fd(fd) }.into()
}

fn pipe() -> (File, File) {
    let (reader, writer) =
        nix::unistd::pipe2(nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    (reader.into(), writer.into())
}

type Outcome = (isize, (usize, usize), (usize, usize));

fn theirs(
    copy: FuseBufCopy,
    stage: &mut Stage,
    dst: &(Vec<Plan>, usize, usize),
    src: &(Vec<Plan>, usize, usize),
    flags: u32,
) -> Outcome {
    let mut build = |(plans, idx, off): &(Vec<Plan>, usize, usize), source| {
        let mut segments = [Segment::memory(std::ptr::null_mut(), 0); MAX_SEGMENTS];
        for (segment, plan) in segments.iter_mut().zip(plans) {
            *segment = stage.segment(plan, source);
        }
        CVector { count: plans.len(), idx: *idx, off: *off, segments }
    };
    let (mut dst, mut src) = (build(dst, false), build(src, true));
    // SAFETY: both have the C layout and describe memory inside the arena and open descriptors.
    let result = unsafe { copy((&raw mut dst).cast(), (&raw mut src).cast(), flags as c_int) };
    (result, (dst.idx, dst.off), (src.idx, src.off))
}

fn ours(
    stage: &mut Stage,
    dst: &(Vec<Plan>, usize, usize),
    src: &(Vec<Plan>, usize, usize),
    flags: u32,
) -> Outcome {
    let targets: Vec<_> = dst.0.iter().map(|plan| stage.segment(plan, false)).collect();
    let sources: Vec<_> = src.0.iter().map(|plan| stage.segment(plan, true)).collect();
    // SAFETY: the segments lie inside the arena, which nothing else touches during the copy.
    let (mut dst, mut src) = unsafe {
        (Vector::from_raw(&targets, dst.1, dst.2), Vector::from_raw(&sources, src.1, src.2))
    };
    let result = match buf::copy(&mut dst, &mut src, CopyFlags::from_bits_retain(flags)) {
        Ok(copied) => copied as isize,
        Err(error) => error.negated() as isize,
    };
    (result, (dst.idx(), dst.off()), (src.idx(), src.off()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 6000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn copies_like_the_system_library(dst in vector(), src in vector(), flags in flags()) {
        let copy = system_copy();
        let (mut a, mut b) = (Stage::new(), Stage::new());
        let expected = theirs(copy, &mut a, &dst, &src, flags);
        let got = ours(&mut b, &dst, &src, flags);
        prop_assert_eq!(expected, got, "result, destination cursor, source cursor");
        let (a, b) = (a.state(), b.state());
        prop_assert!(a.memory == b.memory, "memory differs");
        prop_assert!(a.files == b.files, "files or their offsets differ");
        prop_assert!(a.pipes == b.pipes, "what is left in the pipes differs");
    }
}

#[test]
fn null_and_impossible_memory_is_an_error_not_a_crash() {
    let mut room = [0u8; 8];
    let null = [Segment::memory(std::ptr::null_mut(), 8)];
    // SAFETY: a null segment is allowed.
    let mut src = unsafe { Vector::from_raw(&null, 0, 0) };
    let mut dst = Vector::from_bytes_mut(&mut room);
    assert_eq!(buf::copy(&mut dst, &mut src, CopyFlags::empty()), Err(Errno::EFAULT));

    let mut src = Vector::from_bytes(b"12345678");
    // SAFETY: as above.
    let mut dst = unsafe { Vector::from_raw(&null, 0, 0) };
    assert_eq!(buf::copy(&mut dst, &mut src, CopyFlags::empty()), Err(Errno::EFAULT));

    let mut dst = Vector::from_bytes(b"constant");
    let mut src = Vector::from_bytes(b"12345678");
    assert_eq!(buf::copy(&mut dst, &mut src, CopyFlags::empty()), Err(Errno::EFAULT));

    let one = [Segment::memory(room.as_mut_ptr(), 8)];
    // SAFETY: valid memory; the cursor may be anything.
    let mut src = unsafe { Vector::from_raw(&one, 0, 9) };
    let mut other = [0u8; 8];
    let mut dst = Vector::from_bytes_mut(&mut other);
    assert_eq!(buf::copy(&mut dst, &mut src, CopyFlags::empty()), Err(Errno::EINVAL));
    // SAFETY: as above.
    let mut src = unsafe { Vector::from_raw(&one, usize::MAX, usize::MAX) };
    assert_eq!(buf::copy(&mut dst, &mut src, CopyFlags::empty()), Ok(0));
}

#[test]
fn sizes_saturate() {
    let segments = [Segment::file(0, Some(0), usize::MAX - 3), Segment::file(0, Some(0), 10)];
    // SAFETY: no memory is involved; descriptor 0 is only named, not used.
    let vector = unsafe { Vector::from_raw(&segments, 0, 0) };
    assert_eq!((vector.size(), vector.remaining()), (usize::MAX, usize::MAX));
    // SAFETY: as above.
    let vector = unsafe { Vector::from_raw(&segments, 1, 4) };
    assert_eq!((vector.size(), vector.remaining()), (usize::MAX, 6));
    let all = [Segment::file(0, None, usize::MAX)];
    // SAFETY: as above.
    let vector = unsafe { Vector::from_raw(&all, 0, 4) };
    assert_eq!(vector.remaining(), usize::MAX);
}

#[test]
fn flags_have_the_values_of_the_c_abi() {
    let table = include_str!("../abi/tables/constants-fuse3.tsv");
    let value = |name: &str| -> u32 {
        let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let line = lines.find(|line| line[0] == name).unwrap_or_else(|| panic!("no {name}"));
        line[2].parse().unwrap()
    };
    for (name, bits) in SegmentFlags::all().iter_names() {
        assert_eq!(value(&format!("FUSE_BUF_{name}")), bits.bits(), "{name}");
    }
    for (name, bits) in CopyFlags::all().iter_names() {
        assert_eq!(value(&format!("FUSE_BUF_{name}")), bits.bits(), "{name}");
    }
    assert_eq!(SegmentFlags::all().iter_names().count(), 3);
    assert_eq!(CopyFlags::all().iter_names().count(), 4);
    assert_eq!(size_of::<Segment>(), 40);
}
