//! Runs a program on ferrofuse's libraries.

fn main() -> std::process::ExitCode {
    ferrofuse_cli::run::main(std::env::args_os())
}
