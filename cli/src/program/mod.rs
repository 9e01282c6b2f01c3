//! What a program is, and whether our library can serve it.

mod elf;
pub mod loader;
mod privilege;
mod script;

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::libraries;
pub use elf::Elf;

/// Why our library can't serve a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Statically linked, libfuse included.
    StaticFuse,
    /// Speaks to the kernel by itself, as Go programs do.
    Go,
    /// Statically linked.
    Static,
    /// Linked dynamically, with a libfuse of its own inside.
    Bundled,
    /// An AppImage of this type.
    AppImage(u8),
    /// The loader ignores our folder for programs with more rights than their caller.
    Privileged(&'static str),
    /// Neither an ELF file nor a script.
    NoProgram,
    /// For another machine than our library: what it is for.
    Foreign(String),
    /// For another C library: the name of its loader.
    OtherLibc(String),
    /// A path in the program itself comes before ours: the path, and what is found there.
    Rpath(String),
    /// Asks for a libfuse that we don't have.
    NoLibrary(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::StaticFuse => f.write_str(
                "it is linked statically, with libfuse inside; only a build of it that links \
                 libfuse dynamically can run on ferrofuse",
            ),
            Refusal::Go => f.write_str(
                "it is a Go program; such programs speak to /dev/fuse by themselves and use \
                 no libfuse at all",
            ),
            Refusal::Static => {
                f.write_str("it is linked statically, so that no other library can be given to it")
            }
            Refusal::Bundled => f.write_str(
                "it has a libfuse of its own inside (as mergerfs has); only a build that links the \
                 system's libfuse can run on ferrofuse",
            ),
            Refusal::AppImage(1) => f.write_str(
                "it is an AppImage of type 1, which mounts itself with a libfuse inside; mount it \
                 with `mount -o loop` and run what is in it",
            ),
            Refusal::AppImage(_) => f.write_str(
                "it is an AppImage, which mounts itself with a libfuse inside; unpack it with \
                 --appimage-extract and run squashfs-root/AppRun instead",
            ),
            Refusal::Privileged(how) => write!(
                f,
                "it {how}, and for such programs the loader ignores LD_LIBRARY_PATH; install the \
                 ferrofuse packages, or run it as its owner"
            ),
            Refusal::NoProgram => {
                f.write_str("it is neither an ELF file nor a script that names its interpreter")
            }
            Refusal::Foreign(machine) => write!(f, "it is for another machine ({machine})"),
            Refusal::OtherLibc(loader) => {
                write!(f, "it is for another C library ({loader}); ferrofuse is built for glibc")
            }
            Refusal::Rpath(found) => write!(
                f,
                "a library path in the program itself comes before ours and finds {found}; remove \
                 it with `patchelf --remove-rpath` in a copy"
            ),
            Refusal::NoLibrary(name) => write!(f, "it asks for {name}, which is not here"),
        }
    }
}

/// How a program would run with our folder first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On these of our libraries, each the file it comes from.
    Runs(Vec<(String, PathBuf)>),
    /// It links no libfuse, but may load one later; ours would be found first.
    MayLoad(&'static str),
    /// It links no libfuse.
    NoFuse,
}

/// Looks at a program, or a script's interpreter, without running it.
///
/// The outer error is a reason why it can't be looked at at all.
pub fn judge(path: &Path, folder: &Path) -> Result<Result<Verdict, Refusal>, String> {
    let mut path = path.to_owned();
    let mut through_script = None;
    // As many as the kernel follows.
    for _ in 0..5 {
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if let Some(interpreter) = script::interpreter(&bytes) {
            through_script.get_or_insert_with(|| script::kind(&bytes));
            path = find(interpreter.as_os_str()).ok_or_else(|| {
                format!("{}: interpreter {} not found", path.display(), interpreter.display())
            })?;
            continue;
        }
        return Ok(judge_elf(&path, &bytes, folder, through_script));
    }
    Err(format!("{}: too many interpreters", path.display()))
}

fn judge_elf(
    path: &Path,
    bytes: &[u8],
    folder: &Path,
    script: Option<script::Kind>,
) -> Result<Verdict, Refusal> {
    if let Some(kind) = elf::appimage(bytes) {
        return Err(Refusal::AppImage(kind));
    }
    let Some(elf) = Elf::parse(bytes) else { return Err(Refusal::NoProgram) };
    if !elf.is_for_this_machine() {
        return Err(Refusal::Foreign(elf.machine()));
    }
    let Some(interpreter) = &elf.interpreter else {
        return Err(match (elf.has_fuse_inside, elf.is_go) {
            (true, _) => Refusal::StaticFuse,
            (false, true) => Refusal::Go,
            (false, false) => Refusal::Static,
        });
    };
    if interpreter.contains("musl") {
        return Err(Refusal::OtherLibc(interpreter.clone()));
    }
    if let Some(how) = privilege::of(path) {
        return Err(Refusal::Privileged(how));
    }
    let loaded = loader::loaded(interpreter, path, folder);
    let fuse: Vec<_> = loaded.into_iter().filter(|(name, _)| is_fuse(name)).collect();
    for (name, found) in &fuse {
        match found {
            None => return Err(Refusal::NoLibrary(name.clone())),
            Some(found) if !libraries::is_ours(found) => {
                let ours = libraries::is_ours(&folder.join(name));
                return Err(match (ours, elf.rpath) {
                    (true, _) => Refusal::Rpath(found.display().to_string()),
                    (false, _) => Refusal::NoLibrary(name.clone()),
                });
            }
            Some(_) => {}
        }
    }
    if !fuse.is_empty() {
        let ours = fuse.into_iter().filter_map(|(name, found)| Some((name, found?)));
        return Ok(Verdict::Runs(ours.collect()));
    }
    if let Some(script) = script {
        return Ok(Verdict::MayLoad(script.describe()));
    }
    if elf.has_fuse_inside {
        return Err(Refusal::Bundled);
    }
    if elf.names_fuse_library {
        return Ok(Verdict::MayLoad("it loads libfuse while it runs"));
    }
    if elf.is_go && elf.names_device {
        return Err(Refusal::Go);
    }
    Ok(Verdict::NoFuse)
}

/// Whether a library is a libfuse.
pub fn is_fuse(name: &str) -> bool {
    name.starts_with("libfuse3.so.") || name.starts_with("libfuse.so.")
}

/// Where a program is, as `execvp` would find it; what is named by a path need not be one.
pub fn find(name: impl Into<OsString>) -> Option<PathBuf> {
    let name = PathBuf::from(name.into());
    if name.components().count() > 1 || name.is_absolute() {
        return name.exists().then_some(name);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|path| is_program(path))
}

/// Whether it is a file that may be executed.
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
}
