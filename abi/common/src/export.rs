//! The table of public symbols of a C library, each at its version node.
//!
//! rustc cannot give a function a symbol version, and exports `#[no_mangle]` functions without one. So the functions
//! behind the C ABI keep private, mangled Rust names, and [`export!`](crate::export) adds for every public symbol
//! a one-instruction entry point with the C name and version. A jump and not an alias, because an assembler alias
//! must sit in the object file of the function it names, which holds only under fat LTO and never for C code. A jump
//! also hands variadic arguments through untouched.
//!
//! The version nodes themselves come from the version script that the library's build script writes.

/// Defines one public symbol of a library, written as `readelf` shows it.
///
/// ```text
/// export!(fuse_reply_err @@ "FUSE_3.0" = crate::reply::fuse_reply_err); // the version new programs link to
/// export!(fuse_new @ "FUSE_3.0" = crate::tree::fuse_new_30); // kept for programs linked long ago
/// export!(fuse_new @ = crate::compat::fuse_new_2); // for programs linked when there were no versions
/// ```
///
/// The right-hand side is the path of a function with the C calling convention, of this crate or another one,
/// written in Rust or declared in an `extern "C"` block. It must not be `#[no_mangle]`: that would add an
/// unversioned public name. One function may stand behind several lines.
///
/// It belongs at module level. With the invoking crate's feature `static-archive` the names carry no version and the
/// `@` lines are left out, since a static archive can hold one definition of a name only. In unit tests it defines
/// nothing, as a test program has no version nodes, and only counts as a use of the function.
#[macro_export]
macro_rules! export {
    ($name:ident @@ $node:literal = $function:path) => {
        #[cfg(not(any(test, feature = "static-archive")))]
        $crate::export!(#versioned $name, "@@", $node, $function);
        #[cfg(all(not(test), feature = "static-archive"))]
        $crate::export!(#entry stringify!($name), "", $function);
        #[cfg(test)]
        const _: *const () = $function as *const ();
    };
    ($name:ident @ $node:literal = $function:path) => {
        #[cfg(not(any(test, feature = "static-archive")))]
        $crate::export!(#versioned $name, "@", $node, $function);
        #[cfg(any(test, feature = "static-archive"))]
        const _: *const () = $function as *const ();
    };
    ($name:ident @ = $function:path) => {
        #[cfg(not(any(test, feature = "static-archive")))]
        $crate::export!(#versioned $name, "@", "", $function);
        #[cfg(any(test, feature = "static-archive"))]
        const _: *const () = $function as *const ();
    };
    // `.symver` wants a global label to rename; `remove` takes that label out of the symbol table again.
    (#versioned $name:ident, $at:literal, $node:literal, $function:path) => {
        $crate::export!(
            #entry concat!("ferrofuse.", stringify!($name), ".", $node),
            concat!(
                ".symver ferrofuse.", stringify!($name), ".", $node, ", ",
                stringify!($name), $at, $node, ", remove"
            ),
            $function
        );
    };
    (#entry $label:expr, $version:expr, $function:path) => {
        ::core::arch::global_asm!(
            ".pushsection .text.ferrofuse.exports, \"ax\", %progbits",
            ".p2align 4",
            concat!(".globl ", $label),
            concat!(".type ", $label, ", %function"),
            concat!($label, ":"),
            $crate::tail_jump!(),
            concat!(".size ", $label, ", . - ", $label),
            $version,
            ".popsection",
            function = sym $function,
        );
    };
}

/// The instruction that continues in another function with all argument registers and the stack as they are.
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[macro_export]
macro_rules! tail_jump {
    () => {
        "jmp {function}"
    };
}

/// The instruction that continues in another function with all argument registers and the stack as they are.
#[cfg(any(target_arch = "aarch64", target_arch = "loongarch64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! tail_jump {
    () => {
        "b {function}"
    };
}

/// The instruction that continues in another function with all argument registers and the stack as they are.
#[cfg(target_arch = "riscv64")]
#[doc(hidden)]
#[macro_export]
macro_rules! tail_jump {
    () => {
        "tail {function}"
    };
}

/// The instruction that continues in another function with all argument registers and the stack as they are.
#[cfg(target_arch = "s390x")]
#[doc(hidden)]
#[macro_export]
macro_rules! tail_jump {
    () => {
        "jg {function}"
    };
}
