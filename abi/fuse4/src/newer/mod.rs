//! What came after libfuse 3.14, by the release that brought it.
//!
//! * 3.15 to 3.17: [`versioned`] entry points, [`features`], [`passthrough`], [`fatal`] signals, [`syslog`]
//! * 3.18: [`statx`], [`rings`], and the epoch in [`notify`]
//! * 3.19: [`early`] daemons, [`watchdog`], [`contexts`], [`devices`], [`service`], and the rest of [`session`]

pub mod contexts;
pub mod devices;
pub mod early;
pub mod fatal;
pub mod features;
pub mod notify;
pub mod passthrough;
pub mod rings;
pub mod service;
pub mod session;
pub mod statx;
pub mod syslog;
pub mod versioned;
pub mod watchdog;
