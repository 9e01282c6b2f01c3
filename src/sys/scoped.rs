//! A value that a thread can look at while it is in a function, without owning it.

use std::cell::Cell;
use std::ptr;

/// Where a thread finds the value; a thread-local one, as it can't be shared.
pub struct Scoped<T>(Cell<*const T>);

/// Puts back what was there before, panic or not.
struct Restore<'s, T> {
    place: &'s Cell<*const T>,
    before: *const T,
}

impl<T> Drop for Restore<'_, T> {
    fn drop(&mut self) {
        self.place.set(self.before);
    }
}

impl<T> Scoped<T> {
    /// Nothing is there.
    pub const fn new() -> Scoped<T> {
        Scoped(Cell::new(ptr::null()))
    }

    /// Runs `work`, during which `value` is there.
    pub fn set<R>(&self, value: &T, work: impl FnOnce() -> R) -> R {
        let _restore = Restore { place: &self.0, before: self.0.replace(value) };
        work()
    }

    /// Runs `work` with what is there.
    #[inline(always)]
    pub fn with<R>(&self, work: impl FnOnce(Option<&T>) -> R) -> R {
        // SAFETY: null, or from a reference that a call of `set` further up this thread's stack holds: that
        // takes it away before it returns, and cannot return before `work` has. `self` never leaves
        // its thread.
        work(unsafe { self.0.get().as_ref() })
    }
}

impl<T> Default for Scoped<T> {
    fn default() -> Scoped<T> {
        Scoped::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_value_is_there_until_its_function_ends() {
        let scoped = Scoped::<u32>::new();
        let seen = || scoped.with(|value| value.copied());
        assert_eq!(seen(), None);
        scoped.set(&1, || {
            assert_eq!(scoped.set(&2, seen), Some(2));
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                scoped.set(&3, || std::panic::resume_unwind(Box::new(())));
            }));
            assert!(caught.is_err());
            assert_eq!(seen(), Some(1));
        });
        assert_eq!(seen(), None);
    }
}
