//! Memory whose size the kernel or a program says. What can't be had is an error of one request, not
//! the end of the process.

use crate::errno::{Errno, Result};

/// `size` zeros for `purpose`, or `ENOMEM` with a message.
pub fn zeroed(purpose: &str, size: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reserve(purpose, &mut bytes, size)?;
    bytes.resize(size, 0);
    Ok(bytes)
}

/// A copy of `bytes`, or `ENOMEM` with a message.
pub fn copied(purpose: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    reserve(purpose, &mut copy, bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// Room for `more` elements, or `ENOMEM` with a message.
pub fn reserve<T>(purpose: &str, vec: &mut Vec<T>, more: usize) -> Result<()> {
    vec.try_reserve(more).map_err(|_| {
        let bytes = more.saturating_mul(size_of::<T>());
        log::error!("fuse: no memory for {purpose}: {bytes} bytes more");
        Errno::ENOMEM
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_an_error() {
        assert_eq!(zeroed("a test", 3), Ok(vec![0; 3]));
        assert_eq!(copied("a test", b"abc"), Ok(b"abc".to_vec()));
        assert_eq!(zeroed("a test", isize::MAX as usize), Err(Errno::ENOMEM));
        assert_eq!(zeroed("a test", usize::MAX), Err(Errno::ENOMEM));
        let mut words = vec![1u64];
        assert_eq!(reserve("a test", &mut words, usize::MAX / 8), Err(Errno::ENOMEM));
        assert_eq!(words, [1]);
    }
}
