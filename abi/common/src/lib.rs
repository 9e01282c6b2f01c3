//! C-ABI parts shared by every libfuse generation.
pub mod export;
