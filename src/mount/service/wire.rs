//! The messages between a filesystem and its mount helper: packets of big-endian numbers, and strings that end in NUL.
//! Each begins with four letters that say what it is.

use std::ffi::CStr;

/// The version of the protocol that is spoken here.
const VERSION: u16 = 1;

/// The helper may mount for other users.
const ALLOW_OTHER: u32 = 1 << 0;
/// The helper may mount block devices.
const FUSEBLK: u32 = 1 << 1;

/// What a message is, as its first four bytes.
type Letters = [u8; 4];

/// The helper's first message.
const HELLO: Letters = *b"SAFT";
/// What answers it.
const HELLO_REPLY: Letters = *b"LAST";
/// A file that was asked for.
const FILE: Letters = *b"FILE";
/// The answer to everything else.
const REPLY: Letters = *b"REPL";
/// The beginning of the file with the arguments.
const ARGUMENTS: Letters = *b"ARGS";

/// Messages that consist of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// What the mount shows as its source.
    Source,
    /// Options that the kernel's fuse filesystem parses.
    Options,
    /// Options that only a mount table shows.
    TableOptions,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has another length than it must have.
    Length,
    /// It is not the message that was expected.
    Kind,
    /// No version is known on both sides.
    Version,
    /// It has flags that nobody knows.
    Flags,
    /// It is about another file than was asked for.
    Name,
}

/// What the helper says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// It mounts for other users, too.
    pub allow_other: bool,
    /// It mounts block devices, too.
    pub fuseblk: bool,
}

/// A file that the helper shall open.
#[derive(Clone, Copy, Debug)]
pub struct FileRequest<'a> {
    /// Its path, as the helper sees it.
    pub path: &'a CStr,
    /// Flags of open(2).
    pub open_flags: u32,
    /// The mode of a file that is created.
    pub create_mode: u32,
    /// The helper keeps quiet if it can't be opened.
    pub quiet: bool,
    /// It must be a block device, to be set to this block size in bytes (0: as it is).
    pub block_size: Option<u32>,
}

/// Bytes of a message in order.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Fault::Length)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn half(&mut self) -> Result<u16, Fault> {
        self.take().map(u16::from_be_bytes)
    }

    fn number(&mut self) -> Result<u32, Fault> {
        self.take().map(u32::from_be_bytes)
    }

    fn expect(&mut self, letters: Letters) -> Result<(), Fault> {
        if self.take()? == letters { Ok(()) } else { Err(Fault::Kind) }
    }

    fn end(&self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Fault::Length) }
    }
}

fn message(letters: Letters, numbers: &[u32], text: Option<&CStr>) -> Vec<u8> {
    let mut bytes = letters.to_vec();
    bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    bytes.extend_from_slice(text.map_or(&[], CStr::to_bytes_with_nul));
    bytes
}

/// Bytes of the helper's first message.
pub const HELLO_LENGTH: usize = 12;
/// Bytes of the answer to a command.
pub const REPLY_LENGTH: usize = 8;

/// Reads the helper's first message.
pub fn hello(bytes: &[u8]) -> Result<Hello, Fault> {
    let mut reader = Reader(bytes);
    reader.expect(HELLO)?;
    let versions = reader.half()?..=reader.half()?;
    let flags = reader.number()?;
    reader.end()?;
    if !versions.contains(&VERSION) {
        return Err(Fault::Version);
    }
    if flags & !(ALLOW_OTHER | FUSEBLK) != 0 {
        return Err(Fault::Flags);
    }
    Ok(Hello { allow_other: flags & ALLOW_OTHER != 0, fuseblk: flags & FUSEBLK != 0 })
}

/// What answers it.
pub fn hello_reply() -> Vec<u8> {
    message(HELLO_REPLY, &[u32::from(VERSION) << 16], None)
}

/// Asks for a file.
pub fn open(request: &FileRequest<'_>) -> Vec<u8> {
    let letters = if request.block_size.is_some() { *b"BDEV" } else { *b"OPEN" };
    let numbers = [
        request.open_flags,
        request.create_mode,
        u32::from(request.quiet),
        request.block_size.unwrap_or(0),
    ];
    message(letters, &numbers, Some(request.path))
}

/// The length of the answer, a file or an error, in bytes.
pub fn file_length(path: &CStr) -> usize {
    8 + path.to_bytes_with_nul().len()
}

/// Reads the answer: an error number of the helper's, or 0.
pub fn file(bytes: &[u8], path: &CStr) -> Result<u32, Fault> {
    let mut reader = Reader(bytes);
    reader.expect(FILE)?;
    let error = reader.number()?;
    if reader.0 == path.to_bytes_with_nul() { Ok(error) } else { Err(Fault::Name) }
}

/// Says what kind of filesystem is to be mounted.
pub fn kind(blkdev: bool) -> Vec<u8> {
    message(*b"TYPE", &[u32::from(blkdev)], None)
}

/// Says one of the strings.
pub fn text(which: Text, value: &CStr) -> Vec<u8> {
    let letters = match which {
        Text::Source => *b"NAME",
        Text::Options => *b"OPTS",
        Text::TableOptions => *b"MTAB",
    };
    message(letters, &[], Some(value))
}

/// Says where, and what must be there: the file type of `st_mode`, or 0 for anything.
pub fn mountpoint(format: u16, path: &CStr) -> Vec<u8> {
    message(*b"MNTP", &[u32::from(format) << 16], Some(path))
}

/// Has it mounted, with flags of mount(2).
pub fn mount(flags: u32) -> Vec<u8> {
    message(*b"DOIT", &[flags], None)
}

/// The last message.
pub fn goodbye(status: u32) -> Vec<u8> {
    message(*b"BYEE", &[status], None)
}

/// Reads the answer to one of these commands: an error number, or 0.
pub fn reply(bytes: &[u8]) -> Result<u32, Fault> {
    let mut reader = Reader(bytes);
    reader.expect(REPLY)?;
    let error = reader.number()?;
    reader.end()?;
    Ok(error)
}

/// The arguments in a file of the helper's: their number, then position and length in bytes of each.
pub fn arguments(file: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let mut reader = Reader(file);
    reader.expect(ARGUMENTS)?;
    let count = reader.number()?;
    // Not allocated by what it says, but as far as the file goes.
    let mut arguments = Vec::new();
    for _ in 0..count {
        let (position, length) = (reader.number()? as usize, reader.number()? as usize);
        let argument = file.get(position..).and_then(|rest| rest.get(..length));
        arguments.push(argument.ok_or(Fault::Length)?);
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO_1: &[u8] = b"SAFT\0\x01\0\x02\0\0\0\x03";

    #[test]
    fn the_helper_is_asked_what_it_may() {
        let both = Hello { allow_other: true, fuseblk: true };
        assert_eq!(hello(HELLO_1), Ok(both));
        assert_eq!(hello_reply(), b"LAST\0\x01\0\0");
        let altered = |at: usize, byte: u8| {
            let mut bytes = HELLO_1.to_vec();
            bytes[at] = byte;
            hello(&bytes)
        };
        assert_eq!(altered(11, 0), Ok(Hello { allow_other: false, fuseblk: false }));
        assert_eq!(altered(11, 4), Err(Fault::Flags));
        assert_eq!(altered(0, b'x'), Err(Fault::Kind));
        assert_eq!(altered(5, 2), Err(Fault::Version));
        assert_eq!(altered(7, 0), Err(Fault::Version));
        assert_eq!(hello(&HELLO_1[..11]), Err(Fault::Length));
        assert_eq!(hello(&[HELLO_1, b"x"].concat()), Err(Fault::Length));
    }

    #[test]
    fn files_are_told_by_their_path() {
        assert_eq!(file(b"FILE\0\0\0\x02/a\0", c"/a"), Ok(2));
        assert_eq!(file_length(c"/a"), 11);
        assert_eq!(file(b"FILE\0\0\0\0/b\0", c"/a"), Err(Fault::Name));
        assert_eq!(file(b"FILE\0\0\0\0/a", c"/a"), Err(Fault::Name));
        assert_eq!(file(b"FILE\0\0", c"/a"), Err(Fault::Length));
        assert_eq!(file(b"REPL\0\0\0\0/a\0", c"/a"), Err(Fault::Kind));
        let request = FileRequest {
            path: c"/a",
            open_flags: 2,
            create_mode: 0o644,
            quiet: true,
            block_size: None,
        };
        assert_eq!(open(&request), b"OPEN\0\0\0\x02\0\0\x01\xa4\0\0\0\x01\0\0\0\0/a\0");
        let device = FileRequest { quiet: false, block_size: Some(512), ..request };
        assert_eq!(open(&device), b"BDEV\0\0\0\x02\0\0\x01\xa4\0\0\0\0\0\0\x02\0/a\0");
    }

    #[test]
    fn commands_and_answers() {
        assert_eq!(kind(true), b"TYPE\0\0\0\x01");
        assert_eq!(text(Text::Source, c"s"), b"NAMEs\0");
        assert_eq!(text(Text::Options, c""), b"OPTS\0");
        assert_eq!(text(Text::TableOptions, c"user=x"), b"MTABuser=x\0");
        assert_eq!(mountpoint(0o040000, c"/m"), b"MNTP\x40\0\0\0/m\0");
        assert_eq!(mount(6), b"DOIT\0\0\0\x06");
        assert_eq!(goodbye(8), b"BYEE\0\0\0\x08");
        assert_eq!(reply(b"REPL\0\0\0\x16"), Ok(22));
        assert_eq!(reply(b"REPL\0\0\0"), Err(Fault::Length));
        assert_eq!(reply(b"REPL\0\0\0\0\0"), Err(Fault::Length));
        assert_eq!(reply(b"FILE\0\0\0\0"), Err(Fault::Kind));
    }

    #[test]
    fn arguments_lie_within_their_file() {
        let whole = b"ARGS\0\0\0\x02\0\0\0\x18\0\0\0\x01\0\0\0\x19\0\0\0\x02abb";
        assert_eq!(arguments(whole), Ok(vec![&b"a"[..], &b"bb"[..]]));
        assert_eq!(arguments(&whole[..26]), Err(Fault::Length));
        assert_eq!(arguments(b"ARGS\xff\xff\xff\xff"), Err(Fault::Length));
        assert_eq!(
            arguments(b"ARGS\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff"),
            Err(Fault::Length)
        );
        assert_eq!(arguments(b"ARGX\0\0\0\0"), Err(Fault::Kind));
        assert_eq!(arguments(b"ARGS\0\0\0\0"), Ok(vec![]));
    }
}
