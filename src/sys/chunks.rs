//! A table that grows by chunks and never moves what is in it, for a static.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::{mem, ptr};

/// Up to `SIZE * COUNT` elements, in chunks of `SIZE`. What is made stays for as long as the process.
///
/// An array of `OnceLock` would do, but for what its own state costs each look-up, and each process in memory that
/// does not begin as zeros.
pub struct Chunks<T: 'static, const SIZE: usize, const COUNT: usize>([AtomicPtr<T>; COUNT]);

impl<T: Sync, const SIZE: usize, const COUNT: usize> Chunks<T, SIZE, COUNT> {
    /// Nothing is made yet.
    pub const fn new() -> Self {
        Chunks([const { AtomicPtr::new(ptr::null_mut()) }; COUNT])
    }

    /// The element with this number, if its chunk was made. Any thread may ask.
    #[inline]
    pub fn get(&'static self, index: usize) -> Option<&'static T> {
        let chunk = self.0.get(index / SIZE)?.load(Ordering::Acquire);
        if chunk.is_null() {
            return None;
        }
        // SAFETY: what is not null was put here by `make`: SIZE elements, complete before this could be seen,
        // shared by all threads (`T: Sync`), and never freed.
        Some(unsafe { &*chunk.add(index % SIZE) })
    }

    /// Makes the chunk of the element with this number, unless there is one; false where that can't be, for want
    /// of room in the table or of memory.
    pub fn make(&'static self, index: usize, mut element: impl FnMut() -> T) -> bool {
        let Some(place) = self.0.get(index / SIZE) else { return false };
        if !place.load(Ordering::Acquire).is_null() {
            return true;
        }
        let mut chunk = Vec::new();
        if chunk.try_reserve_exact(SIZE).is_err() {
            return false;
        }
        chunk.resize_with(SIZE, &mut element);
        let null = ptr::null_mut();
        let made = chunk.as_mut_ptr();
        // Another thread may have been faster; its chunk is as good, and this one is freed.
        if place.compare_exchange(null, made, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            mem::forget(chunk);
        }
        true
    }
}

impl<T: Sync, const SIZE: usize, const COUNT: usize> Default for Chunks<T, SIZE, COUNT> {
    fn default() -> Self {
        Chunks::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_where_they_are() {
        static TABLE: Chunks<String, 4, 2> = Chunks::new();
        assert!(TABLE.get(0).is_none());
        let mut count = 0;
        let mut name = || {
            count += 1;
            count.to_string()
        };
        assert!(TABLE.make(2, &mut name));
        let third = TABLE.get(2).unwrap();
        assert!(TABLE.make(0, &mut name) && TABLE.make(7, &mut name));
        assert!(!TABLE.make(8, &mut name));
        assert_eq!(
            [TABLE.get(3).unwrap(), TABLE.get(4).unwrap(), TABLE.get(7).unwrap()],
            ["4", "5", "8"]
        );
        assert!(ptr::eq(third, TABLE.get(2).unwrap()));
        assert!(TABLE.get(8).is_none());
    }

    #[test]
    fn threads_that_make_the_same_share_it() {
        static TABLE: Chunks<u64, 8, 1> = Chunks::new();
        let seen: Vec<_> = std::thread::scope(|scope| {
            let look = || scope.spawn(|| TABLE.make(3, || 7).then(|| TABLE.get(3).unwrap()));
            let threads: Vec<_> = (0..8).map(|_| look()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(seen.iter().all(|it| **it == 7 && ptr::eq(*it, seen[0])));
    }
}
