//! Structs that programs only hold pointers to, told from other memory as far as that can be seen.

/// Such a struct. It begins its life with the mark and loses it when it is freed.
pub trait Handle {
    /// What the mark is while it lives.
    const MAGIC: u64;
    /// What messages call it.
    const NAME: &str;

    /// Its mark.
    fn magic(&self) -> u64;
}

/// The struct behind a pointer; NULL and what is no such struct are reported.
///
/// # Safety
/// `pointer` is NULL or points to a live one.
pub unsafe fn get<'a, T: Handle>(function: &str, pointer: *mut T) -> Option<&'a T> {
    // SAFETY: the caller's promise.
    match unsafe { pointer.as_ref() } {
        Some(handle) if handle.magic() == T::MAGIC => Some(handle),
        Some(_) => {
            log::error!("fuse: {function}: not a {}", T::NAME);
            None
        }
        None => {
            log::error!("fuse: {function}: {} is NULL", T::NAME);
            None
        }
    }
}

/// Makes a struct with a field `magic` a [`Handle`], by its mark and its name in messages.
#[macro_export]
macro_rules! marked {
    ($name:ty, $magic:literal, $called:literal) => {
        impl $crate::handle::Handle for $name {
            const MAGIC: u64 = $magic;
            const NAME: &str = $called;

            fn magic(&self) -> u64 {
                self.magic
            }
        }
    };
}
