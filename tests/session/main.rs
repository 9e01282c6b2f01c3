//! The session layer over channels without a kernel: dispatch, misuse, interrupts, loops.

mod catalogue;
mod dispatch;
mod fake;
mod faults;
mod interrupts;
mod loops;
mod notify;
mod ops;
mod process;
mod storm;
mod wire;
