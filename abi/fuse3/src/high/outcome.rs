//! What path-based operations return: 0, a count, or a negated errno.

use ferrofuse::{Errno, Result};

/// The largest error number that the kernel takes in a reply, negated.
const MIN_RESULT: i64 = -511;

/// The error of a negative result; what cannot be one is reported and becomes `ERANGE`.
fn error(result: i64) -> Errno {
    match result {
        // In range, so the conversion keeps the number.
        MIN_RESULT..=-1 => Errno::from_raw(result as i32),
        _ => {
            log::error!("fuse: bad error value: {result}");
            Errno::ERANGE
        }
    }
}

/// An operation that returns 0.
pub fn done(result: i32) -> Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(error(result.into())),
    }
}

/// An operation that returns how much it did.
pub fn count<T: Copy + TryInto<i64>>(result: T) -> Result<usize> {
    // Every C integer fits; a result that did not would be no count.
    let result = result.try_into().unwrap_or(i64::MIN);
    usize::try_from(result).map_err(|_| error(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_negative_and_sane() {
        assert_eq!(done(0), Ok(()));
        assert_eq!(done(-2), Err(Errno::ENOENT));
        assert_eq!(done(2), Err(Errno::ERANGE));
        assert_eq!(done(i32::MIN), Err(Errno::ERANGE));
        assert_eq!(count(5), Ok(5));
        assert_eq!(count(-5isize), Err(Errno::EIO));
        assert_eq!(count(i64::MIN), Err(Errno::ERANGE));
    }
}
