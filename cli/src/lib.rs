//! The tools beside the libraries.
//!
//! * [`run`]: `ferrofuse-run`, which starts a program on our library
//! * [`doctor`]: why something is or is not in use on this machine
//! * [`stats`]: what running filesystems tell, as text, JSON or for Prometheus
//! * [`top`]: the same on the screen, live
//! * [`program`]: what a program is and which libfuse it asks for
//! * [`libraries`]: where our libraries are

pub mod doctor;
pub mod libraries;
pub mod program;
pub mod run;
pub mod stats;
pub mod top;

/// The release of these tools.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
