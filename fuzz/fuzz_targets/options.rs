#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| (ferrofuse_fuzz_targets::TARGETS[2].1)(data));
