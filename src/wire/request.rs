//! Parsing of requests.
//!
//! Any bytes may be given: the result is an [`Operation`] that borrows from them, or a
//! [`Malformed`] that says what is wrong. Nothing is trusted, the length field included.

use std::ffi::CStr;
use std::fmt;

use zerocopy::FromBytes;

use super::flags::{IoctlFlags, SetattrValid};
use super::layout::*;
use super::{IN_HEADER_SIZE, Opcode, Protocol};

/// Why a message is not a valid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than `fuse_in_header`; there is no unique id to answer.
    NoHeader {
        /// Bytes received.
        received: usize,
    },
    /// `fuse_in_header.len` is not the number of bytes received.
    Length {
        /// What the header says.
        claimed: u32,
        /// Bytes received.
        received: usize,
    },
    /// The extension area does not fit into the message.
    Extensions,
    /// The body is shorter than the operation's fixed part.
    Body {
        /// Bytes the operation needs.
        needed: usize,
        /// Bytes there are.
        present: usize,
    },
    /// A name is not terminated or holds nothing.
    Name,
    /// A count or size in the body goes beyond the message.
    Count,
    /// Its id is 0, so that an answer would be a notification.
    Id,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::NoHeader { received } => {
                write!(f, "{received} bytes, shorter than a request header")
            }
            Malformed::Length { claimed, received } => {
                write!(f, "header says {claimed} bytes, received {received}")
            }
            Malformed::Extensions => f.write_str("extension area exceeds the message"),
            Malformed::Body { needed, present } => {
                write!(f, "body of {present} bytes, needs {needed}")
            }
            Malformed::Name => f.write_str("name missing or not terminated"),
            Malformed::Count => f.write_str("count exceeds the message"),
            Malformed::Id => f.write_str("its id can't be answered"),
        }
    }
}

/// Reads the header alone; `received` is the length of the whole message, which may still stand in
/// a pipe.
pub fn header(bytes: &[u8], received: usize) -> Result<InHeader, Malformed> {
    let (header, _) =
        InHeader::read_from_prefix(bytes).map_err(|_| Malformed::NoHeader { received })?;
    if header.len as usize != received {
        return Err(Malformed::Length { claimed: header.len, received });
    }
    Ok(header)
}

/// A parsed request body.
///
/// Names are the bytes up to the terminating NUL and may be any bytes but `/` and NUL; the kernel
/// guarantees that, this parser only that they are terminated and not empty.
#[allow(missing_docs)] // fields carry the kernel's names
#[derive(Clone, Copy, Debug)]
pub enum Operation<'a> {
    Lookup {
        name: &'a CStr,
    },
    Forget {
        nlookup: u64,
    },
    BatchForget {
        items: &'a [u8],
    },
    Getattr {
        fh: Option<u64>,
    },
    Setattr {
        valid: SetattrValid,
        args: SetattrIn,
    },
    Readlink,
    Symlink {
        name: &'a CStr,
        target: &'a CStr,
    },
    Mknod {
        args: MknodIn,
        name: &'a CStr,
    },
    Mkdir {
        args: MkdirIn,
        name: &'a CStr,
    },
    Unlink {
        name: &'a CStr,
    },
    Rmdir {
        name: &'a CStr,
    },
    Rename {
        newdir: u64,
        flags: u32,
        name: &'a CStr,
        newname: &'a CStr,
    },
    Link {
        oldnodeid: u64,
        newname: &'a CStr,
    },
    Open {
        args: OpenIn,
    },
    Read {
        args: ReadIn,
    },
    /// `data` is empty where the payload stayed in a pipe.
    Write {
        args: WriteIn,
        data: &'a [u8],
    },
    Statfs,
    Release {
        args: ReleaseIn,
    },
    Fsync {
        args: FsyncIn,
    },
    Setxattr {
        flags: u32,
        name: &'a CStr,
        value: &'a [u8],
    },
    Getxattr {
        size: u32,
        name: &'a CStr,
    },
    Listxattr {
        size: u32,
    },
    Removexattr {
        name: &'a CStr,
    },
    Flush {
        args: FlushIn,
    },
    Init {
        args: InitIn,
    },
    CuseInit {
        args: CuseInitIn,
    },
    Opendir {
        args: OpenIn,
    },
    Readdir {
        args: ReadIn,
    },
    Releasedir {
        args: ReleaseIn,
    },
    Fsyncdir {
        args: FsyncIn,
    },
    Getlk {
        args: LkIn,
    },
    Setlk {
        args: LkIn,
        sleep: bool,
    },
    Access {
        mask: u32,
    },
    Create {
        args: CreateIn,
        name: &'a CStr,
    },
    Interrupt {
        unique: u64,
    },
    Bmap {
        args: BmapIn,
    },
    Destroy,
    Ioctl {
        args: IoctlIn,
        flags: IoctlFlags,
        data: &'a [u8],
    },
    Poll {
        args: PollIn,
    },
    /// `data` is empty where the payload stayed in a pipe.
    NotifyReply {
        args: NotifyRetrieveIn,
        data: &'a [u8],
    },
    Fallocate {
        args: FallocateIn,
    },
    Readdirplus {
        args: ReadIn,
    },
    Lseek {
        args: LseekIn,
    },
    CopyFileRange {
        args: CopyFileRangeIn,
    },
    Syncfs,
    Tmpfile {
        args: CreateIn,
    },
    Statx {
        fh: Option<u64>,
        flags: u32,
        mask: u32,
    },
    /// An opcode that exists but that no operation table here can express.
    Unserved(Opcode),
    /// A number that the protocol known here does not define.
    Unknown(u32),
}

/// The pairs of a BATCH_FORGET; `items` was checked to hold whole records.
pub fn forgets(items: &[u8]) -> impl ExactSizeIterator<Item = ForgetOne> + '_ {
    items
        .chunks_exact(size_of::<ForgetOne>())
        .map(|item| ForgetOne::read_from_bytes(item).unwrap_or_default())
}

/// Takes values off the front of a body.
struct Body<'a> {
    rest: &'a [u8],
}

impl<'a> Body<'a> {
    fn fixed<T: FromBytes>(&mut self) -> Result<T, Malformed> {
        let (value, rest) = T::read_from_prefix(self.rest)
            .map_err(|_| Malformed::Body { needed: size_of::<T>(), present: self.rest.len() })?;
        self.rest = rest;
        Ok(value)
    }

    /// A struct of which older protocols send only the first `old` bytes; the rest reads as zero.
    fn grown<T: FromBytes + zerocopy::IntoBytes + Default>(
        &mut self,
        old: usize,
        is_old: bool,
    ) -> Result<T, Malformed> {
        if !is_old {
            return self.fixed();
        }
        let Some((head, rest)) = self.rest.split_at_checked(old) else {
            return Err(Malformed::Body { needed: old, present: self.rest.len() });
        };
        let mut value = T::default();
        if let Some(bytes) = value.as_mut_bytes().get_mut(..old) {
            bytes.copy_from_slice(head);
        }
        self.rest = rest;
        Ok(value)
    }

    fn name(&mut self) -> Result<&'a CStr, Malformed> {
        let name = CStr::from_bytes_until_nul(self.rest).map_err(|_| Malformed::Name)?;
        self.rest = &self.rest[name.to_bytes_with_nul().len()..];
        if name.is_empty() { Err(Malformed::Name) } else { Ok(name) }
    }

    /// A symbolic link's target, which, unlike a name, the kernel lets be anything but unterminated.
    fn target(&mut self) -> Result<&'a CStr, Malformed> {
        let target = CStr::from_bytes_until_nul(self.rest).map_err(|_| Malformed::Name)?;
        self.rest = &self.rest[target.to_bytes_with_nul().len()..];
        Ok(target)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Count)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// The target of an INTERRUPT.
pub fn interrupted(message: &[u8]) -> Result<u64, Malformed> {
    let mut body = Body { rest: message.get(IN_HEADER_SIZE..).ok_or(Malformed::Extensions)? };
    Ok(body.fixed::<InterruptIn>()?.unique)
}

/// Parses the body of a request whose `header` was read from `message`.
///
/// `in_pipe`: the payload of a WRITE or NOTIFY_REPLY is not in `message` but stands in a pipe, so
/// only the part before it is checked here.
#[inline]
pub fn operation<'a>(
    header: &InHeader,
    message: &'a [u8],
    protocol: Protocol,
    in_pipe: bool,
) -> Result<Operation<'a>, Malformed> {
    let extensions = usize::from(header.total_extlen) * 8;
    let end = if in_pipe {
        message.len()
    } else {
        message.len().checked_sub(extensions).ok_or(Malformed::Extensions)?
    };
    let rest = message.get(IN_HEADER_SIZE..end).ok_or(Malformed::Extensions)?;
    let mut body = Body { rest };
    let minor = protocol.minor;
    let Some(opcode) = Opcode::from_raw(header.opcode) else {
        return Ok(Operation::Unknown(header.opcode));
    };
    Ok(match opcode {
        Opcode::Lookup => Operation::Lookup { name: body.name()? },
        Opcode::Forget => Operation::Forget { nlookup: body.fixed::<ForgetIn>()?.nlookup },
        Opcode::BatchForget => {
            let head: BatchForgetIn = body.fixed()?;
            let len = (head.count as usize).checked_mul(size_of::<ForgetOne>());
            Operation::BatchForget { items: body.bytes(len.ok_or(Malformed::Count)?)? }
        }
        Opcode::Getattr if minor < 9 => Operation::Getattr { fh: None },
        Opcode::Getattr => {
            let args: GetattrIn = body.fixed()?;
            let has_fh = args.getattr_flags & super::flags::GETATTR_FH != 0;
            Operation::Getattr { fh: has_fh.then_some(args.fh) }
        }
        Opcode::Setattr => {
            let args: SetattrIn = body.fixed()?;
            Operation::Setattr { valid: SetattrValid::from_bits_retain(args.valid), args }
        }
        Opcode::Readlink => Operation::Readlink,
        Opcode::Symlink => {
            let name = body.name()?;
            Operation::Symlink { name, target: body.target()? }
        }
        Opcode::Mknod => {
            let args = body.grown(8, minor < 12)?;
            Operation::Mknod { args, name: body.name()? }
        }
        Opcode::Mkdir => {
            let mut args: MkdirIn = body.fixed()?;
            if minor < 12 {
                args.umask = 0;
            }
            Operation::Mkdir { args, name: body.name()? }
        }
        Opcode::Unlink => Operation::Unlink { name: body.name()? },
        Opcode::Rmdir => Operation::Rmdir { name: body.name()? },
        Opcode::Rename => {
            let args: RenameIn = body.fixed()?;
            let name = body.name()?;
            Operation::Rename { newdir: args.newdir, flags: 0, name, newname: body.name()? }
        }
        Opcode::Rename2 => {
            let args: Rename2In = body.fixed()?;
            let name = body.name()?;
            let newname = body.name()?;
            Operation::Rename { newdir: args.newdir, flags: args.flags, name, newname }
        }
        Opcode::Link => {
            let args: LinkIn = body.fixed()?;
            Operation::Link { oldnodeid: args.oldnodeid, newname: body.name()? }
        }
        Opcode::Open => Operation::Open { args: body.fixed()? },
        Opcode::Opendir => Operation::Opendir { args: body.fixed()? },
        Opcode::Read => Operation::Read { args: body.grown(24, minor < 9)? },
        Opcode::Readdir => Operation::Readdir { args: body.grown(24, minor < 9)? },
        Opcode::Readdirplus => Operation::Readdirplus { args: body.fixed()? },
        Opcode::Write => {
            let args: WriteIn = body.grown(24, minor < 9)?;
            let data = if in_pipe { &[][..] } else { body.bytes(args.size as usize)? };
            Operation::Write { args, data }
        }
        Opcode::Statfs => Operation::Statfs,
        Opcode::Release => Operation::Release { args: body.grown(16, minor < 8)? },
        Opcode::Releasedir => Operation::Releasedir { args: body.grown(16, minor < 8)? },
        Opcode::Fsync => Operation::Fsync { args: body.fixed()? },
        Opcode::Fsyncdir => Operation::Fsyncdir { args: body.fixed()? },
        Opcode::Setxattr => {
            let args: SetxattrIn = body.grown(8, !protocol.setxattr_ext)?;
            let name = body.name()?;
            let value = body.bytes(args.size as usize)?;
            Operation::Setxattr { flags: args.flags, name, value }
        }
        Opcode::Getxattr => {
            let args: GetxattrIn = body.fixed()?;
            Operation::Getxattr { size: args.size, name: body.name()? }
        }
        Opcode::Listxattr => Operation::Listxattr { size: body.fixed::<GetxattrIn>()?.size },
        Opcode::Removexattr => Operation::Removexattr { name: body.name()? },
        Opcode::Flush => Operation::Flush { args: body.grown(16, minor < 7)? },
        Opcode::Init => {
            // 8 bytes before 7.6, 16 until 7.36, more since; always the prefix of one struct.
            let len = body.rest.len().min(size_of::<InitIn>());
            if len < 8 {
                return Err(Malformed::Body { needed: 8, present: len });
            }
            Operation::Init { args: body.grown(len, true)? }
        }
        Opcode::Getlk => Operation::Getlk { args: body.grown(40, minor < 9)? },
        Opcode::Setlk => Operation::Setlk { args: body.grown(40, minor < 9)?, sleep: false },
        Opcode::Setlkw => Operation::Setlk { args: body.grown(40, minor < 9)?, sleep: true },
        Opcode::Access => Operation::Access { mask: body.fixed::<AccessIn>()?.mask },
        Opcode::Create => {
            let mut args: CreateIn = body.grown(8, minor < 12)?;
            if minor < 12 {
                args.umask = 0;
            }
            Operation::Create { args, name: body.name()? }
        }
        Opcode::Tmpfile => Operation::Tmpfile { args: body.fixed()? },
        Opcode::Interrupt => Operation::Interrupt { unique: interrupted(message)? },
        Opcode::Bmap => Operation::Bmap { args: body.fixed()? },
        Opcode::Destroy => Operation::Destroy,
        Opcode::Ioctl => {
            let args: IoctlIn = body.fixed()?;
            let data = body.bytes(args.in_size as usize)?;
            Operation::Ioctl { args, flags: IoctlFlags::from_bits_retain(args.flags), data }
        }
        Opcode::Poll => {
            let args = body.fixed()?;
            Operation::Poll { args }
        }
        Opcode::NotifyReply => {
            let args: NotifyRetrieveIn = body.fixed()?;
            let data = if in_pipe { &[][..] } else { body.bytes(args.size as usize)? };
            Operation::NotifyReply { args, data }
        }
        Opcode::Fallocate => Operation::Fallocate { args: body.fixed()? },
        Opcode::Lseek => Operation::Lseek { args: body.fixed()? },
        Opcode::CopyFileRange | Opcode::CopyFileRange64 => {
            Operation::CopyFileRange { args: body.fixed()? }
        }
        Opcode::Syncfs => Operation::Syncfs,
        Opcode::CuseInit => Operation::CuseInit { args: body.fixed()? },
        Opcode::Statx => {
            let args: StatxIn = body.fixed()?;
            let has_fh = args.getattr_flags & super::flags::GETATTR_FH != 0;
            let fh = has_fh.then_some(args.fh);
            Operation::Statx { fh, flags: args.sx_flags, mask: args.sx_mask }
        }
        Opcode::Setupmapping | Opcode::Removemapping => Operation::Unserved(opcode),
    })
}
