#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| (ferrofuse_fuzz_targets::TARGETS[0].1)(data));
