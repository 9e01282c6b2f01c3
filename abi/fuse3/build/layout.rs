//! Turns the layout table into compile-time assertions on the Rust structs.
//!
//! The tables are those of x86-64. Where pointers have 64 bits a struct is the same on every machine, but for a
//! `struct stat` in it; and where the most significant byte comes first, bit-fields begin at the other end.

use std::env;
use std::fmt::Write;

/// The C structs of a table, and the Rust types that stand for them.
pub type Structs = &'static [(&'static str, &'static str)];

/// Structs of which an older one is the first part: the C name, the field that is the older one, and the fields that
/// are not in it.
pub type Grown = &'static [(&'static str, &'static str, &'static [&'static str])];

/// One assertion for the size, the alignment and every field of every struct in `structs`, as programs written for
/// `version` of the interface see it.
///
/// A bit-field is looked for as a mask, an associated constant in upper case, in a field called `bits`.
pub fn assertions(table: &str, structs: Structs, grown: Grown, version: &str) -> String {
    let rows: Vec<Row> = table.lines().filter_map(Row::parse).collect();
    let mut code = String::new();
    let machine = Machine::target();
    for (c_name, rust_name) in structs {
        let rows: Vec<&Row> =
            rows.iter().filter(|row| row.name == *c_name && row.holds(version)).collect();
        let Some(first) = rows.first() else {
            let _ = writeln!(code, "compile_error!(\"{c_name}: not in the layout table\");");
            continue;
        };
        if !machine.has(&rows) {
            let _ = writeln!(code, "// struct {c_name} is another one on this machine");
            continue;
        }
        let _ = writeln!(
            code,
            "// struct {c_name}\nconst _: () = {{\n    \
             use core::mem::{{align_of, offset_of, size_of}};"
        );
        let _ = writeln!(code, "    assert!(size_of::<{rust_name}>() == {});", first.size);
        let _ = writeln!(code, "    assert!(align_of::<{rust_name}>() == {});", first.align);
        for row in rows {
            let _ = writeln!(code, "    assert!({});", row.condition(rust_name, grown, &machine));
        }
        code.push_str("};\n");
    }
    code
}

/// What layouts depend on.
struct Machine {
    x86_64: bool,
    pointers: bool,
    little_endian: bool,
}

impl Machine {
    /// The one that is built for.
    fn target() -> Machine {
        let is = |variable, value: &str| env::var(variable).is_ok_and(|found| found == value);
        Machine {
            x86_64: is("CARGO_CFG_TARGET_ARCH", "x86_64"),
            pointers: is("CARGO_CFG_TARGET_POINTER_WIDTH", "64"),
            little_endian: is("CARGO_CFG_TARGET_ENDIAN", "little"),
        }
    }

    /// Whether a struct of these lines is the same there.
    fn has(&self, rows: &[&Row]) -> bool {
        self.pointers && (self.x86_64 || rows.iter().all(|row| row.kind != "struct stat"))
    }

    /// Where bit-fields that have `width` bits from `bit` on are in their unit.
    fn mask(&self, bit: u32, width: u32) -> u32 {
        let first = if self.little_endian { bit } else { 32 - bit - width };
        ((1u32 << width) - 1) << first
    }
}

/// A line of the layout table.
struct Row<'a> {
    name: &'a str,
    size: &'a str,
    align: &'a str,
    versions: &'a str,
    field: &'a str,
    offset: &'a str,
    bit: Option<(u32, u32)>,
    kind: &'a str,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, size, align, versions, field, _, offset, _, _, bit, width, kind] = columns[..]
        else {
            return None;
        };
        let bit = bit.parse().ok().zip(width.parse().ok());
        Some(Row { name, size, align, versions, field, offset, bit, kind })
    }

    /// Whether the line holds for programs written for `version` of the interface.
    fn holds(&self, version: &str) -> bool {
        self.versions == "any" || self.versions.split(',').any(|known| known == version)
    }

    fn condition(&self, rust_name: &str, grown: Grown, machine: &Machine) -> String {
        let Row { field, offset, .. } = self;
        let older = grown.iter().find(|(name, _, own)| name == &self.name && !own.contains(field));
        if let Some((_, older, _)) = older {
            return format!("offset_of!({rust_name}, {older}.{field}) == {offset}");
        }
        match self.bit {
            Some((bit, width)) if width < 32 && !field.starts_with("padding") => {
                let mask = machine.mask(bit, width);
                let constant = field.to_uppercase();
                format!(
                    "offset_of!({rust_name}, bits) == {offset} && {rust_name}::{constant} == {mask:#x}"
                )
            }
            Some((_, width)) if width < 32 => format!("offset_of!({rust_name}, bits) == {offset}"),
            _ => format!("offset_of!({rust_name}, {field}) == {offset}"),
        }
    }
}
