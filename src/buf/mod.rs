//! The buffer vector: memory and file-descriptor segments, and copying between them.
