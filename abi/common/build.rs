//! Compiles the one C file: the C-variadic half of logging, which stable Rust can't express.

fn main() {
    println!("cargo:rerun-if-changed=src/log.c");
    cc::Build::new()
        .file("src/log.c")
        .std("c11")
        .warnings(true)
        .extra_warnings(true)
        .compile("ferrofuse_log");
}
