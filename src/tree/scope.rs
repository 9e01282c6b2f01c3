//! The time during which a thread serves one request's operations.

use super::core::Tree;
use super::interrupt::Watch;
use super::ops::{PathOps, RequestContext};
use crate::errno::Result;
use crate::session::Request;

/// Between [`PathOps::enter`] and [`PathOps::leave`], which is called when it is dropped, panic or
/// not.
pub(super) struct Scope<'t, P: PathOps> {
    tree: &'t Tree<P>,
    watch: Option<Watch>,
}

impl<P: PathOps> Scope<'_, P> {
    /// From here on no signal is sent: the operation has returned, and what is left to do must not
    /// be disturbed.
    pub fn returned(&mut self) {
        self.watch = None;
    }
}

impl<P: PathOps> Drop for Scope<'_, P> {
    fn drop(&mut self) {
        self.watch = None;
        self.tree.ops.leave();
    }
}

impl<P: PathOps> Tree<P> {
    /// Begins the operations of a request.
    pub(super) fn scope(&self, req: &Request) -> Scope<'_, P> {
        let (context, handle) = (req.context(), req.handle());
        self.ops.enter(&RequestContext {
            uid: context.uid(),
            gid: context.gid(),
            pid: context.pid(),
            umask: context.umask(),
            handle: Some(handle),
        });
        let mut scope = Scope { tree: self, watch: None };
        let config = self.config();
        if config.intr {
            scope.watch = self.interrupts.watch(handle, config.intr_signal);
        }
        scope
    }

    /// Begins operations on the library's own account.
    pub(super) fn own_scope(&self) -> Scope<'_, P> {
        self.ops.enter(&RequestContext::default());
        Scope { tree: self, watch: None }
    }

    /// Runs the operations of a request.
    pub(super) fn serve<T>(&self, req: &Request, f: impl FnOnce() -> Result<T>) -> Result<T> {
        let _scope = self.scope(req);
        f()
    }
}
