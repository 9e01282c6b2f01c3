//! Which function answers which request.

use crate::wire::Opcode::{self, *};

/// Whether `function` is an answer to `opcode`. `success`: it says that the operation was done, with
/// nothing to return.
pub fn fits(function: &str, opcode: Opcode, success: bool) -> bool {
    let Some(kind) = function.strip_prefix("fuse_reply_") else { return true };
    match kind {
        "err" => !success || nothing_to_return(opcode),
        "none" => matches!(opcode, Forget | BatchForget | NotifyReply),
        "entry" => matches!(opcode, Lookup | Mknod | Mkdir | Symlink | Link),
        "create" => matches!(opcode, Create | Tmpfile),
        "attr" => matches!(opcode, Getattr | Setattr),
        "readlink" => opcode == Readlink,
        "open" => matches!(opcode, Open | Opendir),
        "write" => matches!(opcode, Write | CopyFileRange | CopyFileRange64),
        "buf" | "data" | "iov" => {
            matches!(opcode, Read | Readdir | Readdirplus | Readlink | Getxattr | Listxattr)
        }
        "statfs" => opcode == Statfs,
        "xattr" => matches!(opcode, Getxattr | Listxattr),
        "lock" => opcode == Getlk,
        "bmap" => opcode == Bmap,
        "ioctl" | "ioctl_iov" | "ioctl_retry" => opcode == Ioctl,
        "poll" => opcode == Poll,
        "lseek" => opcode == Lseek,
        _ => true,
    }
}

/// Requests whose success may have no data. No bytes are also the end of a file or directory, and an
/// empty attribute.
fn nothing_to_return(opcode: Opcode) -> bool {
    !matches!(
        opcode,
        Lookup
            | Getattr
            | Setattr
            | Readlink
            | Symlink
            | Mknod
            | Mkdir
            | Link
            | Open
            | Opendir
            | Create
            | Tmpfile
            | Write
            | Statfs
            | Getlk
            | Bmap
            | Ioctl
            | Poll
            | Lseek
            | CopyFileRange
            | CopyFileRange64
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fit_their_requests() {
        assert!(fits("fuse_reply_err", Lookup, false));
        assert!(!fits("fuse_reply_err", Lookup, true));
        assert!(fits("fuse_reply_err", Unlink, true));
        assert!(fits("fuse_reply_buf", Read, false));
        assert!(!fits("fuse_reply_buf", Lookup, false));
        assert!(!fits("fuse_reply_none", Read, false));
        assert!(fits("fuse_reply_none", Forget, false));
    }
}
