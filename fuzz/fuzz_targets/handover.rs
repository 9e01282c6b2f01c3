#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| (ferrofuse_fuzz_targets::TARGETS[3].1)(data));
