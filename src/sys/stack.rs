//! Stack sizes of threads.

use std::mem::MaybeUninit;

/// Stack size in bytes that the C library gives threads by default.
///
/// Handlers are C code that was written against it; Rust's own default is a quarter of it.
pub fn default_size() -> usize {
    let mut attr = MaybeUninit::<libc::pthread_attr_t>::zeroed();
    let mut size = 0;
    // SAFETY: `attr` is live, initialised by the first call and destroyed by the last; `size` is a
    // live usize.
    unsafe {
        if libc::pthread_attr_init(attr.as_mut_ptr()) == 0 {
            libc::pthread_attr_getstacksize(attr.as_ptr(), &raw mut size);
            libc::pthread_attr_destroy(attr.as_mut_ptr());
        }
    }
    size.max(256 * 1024)
}
