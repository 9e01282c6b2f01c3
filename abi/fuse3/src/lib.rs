//! libfuse3 C ABI.
