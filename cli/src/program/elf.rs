//! Looking into ELF files.

use goblin::elf::header::{EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_X86_64};
use goblin::elf::sym::STB_GLOBAL;

/// A function that libfuse 2 and 3 have and programs do not define.
const FUSE_FUNCTIONS: [&str; 4] =
    ["fuse_session_loop_mt", "fuse_session_process_buf", "fuse_reply_entry", "fuse_opt_add_arg"];
/// What libfuse prints, and so has inside. Names remain where symbols were stripped.
const FUSE_TEXTS: [&[u8]; 2] = [b"FUSE library version", b"using FUSE kernel interface version"];

/// What matters of an ELF file.
#[derive(Clone, Debug, Default)]
pub struct Elf {
    machine: u16,
    is_64: bool,
    /// The loader that it names; none in a static program.
    pub interpreter: Option<String>,
    /// Library paths that come before LD_LIBRARY_PATH.
    pub rpath: bool,
    /// Defines functions of libfuse, or has its messages inside.
    pub has_fuse_inside: bool,
    /// Was built by Go.
    pub is_go: bool,
    /// Has the name of a libfuse inside, as one who loads it needs.
    pub names_fuse_library: bool,
    /// Has the name of the device inside.
    pub names_device: bool,
}

/// The type of an AppImage, if it is one.
pub fn appimage(bytes: &[u8]) -> Option<u8> {
    match bytes.get(8..11)? {
        [b'A', b'I', kind @ (1 | 2)] => Some(*kind),
        _ => None,
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

impl Elf {
    /// `None` for what is no ELF file, or a damaged one.
    pub fn parse(bytes: &[u8]) -> Option<Elf> {
        let parsed = goblin::elf::Elf::parse(bytes).ok()?;
        let defines = |name: &str| FUSE_FUNCTIONS.contains(&name);
        let exported = parsed.dynsyms.iter().any(|sym| {
            sym.st_shndx != 0 && parsed.dynstrtab.get_at(sym.st_name).is_some_and(defines)
        });
        let linked = parsed.syms.iter().any(|sym| {
            sym.st_shndx != 0
                && sym.st_bind() == STB_GLOBAL
                && parsed.strtab.get_at(sym.st_name).is_some_and(defines)
        });
        let named = |name: &str| {
            parsed
                .section_headers
                .iter()
                .any(|section| parsed.shdr_strtab.get_at(section.sh_name) == Some(name))
        };
        Some(Elf {
            machine: parsed.header.e_machine,
            is_64: parsed.is_64,
            interpreter: parsed.interpreter.map(str::to_owned),
            rpath: !parsed.rpaths.is_empty() && parsed.runpaths.is_empty(),
            has_fuse_inside: exported || linked || FUSE_TEXTS.iter().any(|t| contains(bytes, t)),
            is_go: named(".go.buildinfo") || named(".note.go.buildid"),
            names_fuse_library: contains(bytes, b"libfuse.so") || contains(bytes, b"libfuse3.so"),
            names_device: contains(bytes, b"/dev/fuse"),
        })
    }

    /// Whether it can run with libraries built for what these tools were built for.
    pub fn is_for_this_machine(&self) -> bool {
        let mine = match std::env::consts::ARCH {
            "x86_64" => Some(EM_X86_64),
            "x86" => Some(EM_386),
            "aarch64" => Some(EM_AARCH64),
            "arm" => Some(EM_ARM),
            "riscv64" => Some(EM_RISCV),
            // Nobody knows; the loader will say so.
            _ => None,
        };
        mine.is_none_or(|mine| mine == self.machine) && self.is_64 == (size_of::<usize>() == 8)
    }

    /// What it is for, in words.
    pub fn machine(&self) -> String {
        let bits = if self.is_64 { 64 } else { 32 };
        format!("{}, {bits} bit", goblin::elf::header::machine_to_str(self.machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appimages() {
        assert_eq!(appimage(b"\x7fELF\x02\x01\x01\x00AI\x02rest"), Some(2));
        assert_eq!(appimage(b"\x7fELF\x02\x01\x01\x00\x00\x00\x00rest"), None);
        assert_eq!(appimage(b"#!"), None);
    }

    #[test]
    fn this_program_is_for_this_machine() {
        let bytes = std::fs::read("/proc/self/exe").expect("this program");
        let elf = Elf::parse(&bytes).expect("an ELF file");
        assert!(elf.is_for_this_machine());
        assert!(elf.interpreter.is_some() && !elf.is_go && !elf.rpath);
        assert!(Elf::parse(b"#!/bin/sh").is_none());
        assert!(Elf::parse(&bytes[..100]).is_none());
    }
}
