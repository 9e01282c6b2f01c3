//! The option parser against the system's libfuse3, on random tables, arguments and callbacks.

mod support;

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::mem::offset_of;

use ferrofuse_abi_common::opt::{FuseArgs, FuseOpt, KEY_OFFSET};
use support::{Api, Args, OURS, Rng, capture_log, show, take_log, theirs};

const PARSE_CASES: u64 = 40_000;

/// What the tables store into, and what the callback needs.
#[repr(C)]
struct Data {
    ints: [c_int; 3],
    uint: c_uint,
    long: c_long,
    double: f64,
    strings: [*mut c_char; 2],
    buffer: [u8; 256],
    api: *const Api,
    seed: u64,
    trace: Vec<String>,
}

/// A table; the strings its templates point to are kept beside it.
struct Table {
    opts: Vec<FuseOpt>,
    templates: Vec<CString>,
}

const PREFIXES: &[&str] =
    &["-a", "-ab", "a", "ab", "b", "--long", "-", "", "x", "x y", "--", "-x=y", "q=h", "-o", "f"];
const SEPARATORS: &[&str] = &["", "=", " ", "="];
const FORMATS: &[(&str, usize)] = &[
    ("%d", offset_of!(Data, ints)),
    ("%i", offset_of!(Data, ints) + 4),
    ("%u", offset_of!(Data, uint)),
    ("%x", offset_of!(Data, uint)),
    ("%o", offset_of!(Data, uint)),
    ("%ld", offset_of!(Data, long)),
    ("%lf", offset_of!(Data, double)),
    ("%s", offset_of!(Data, strings)),
    ("%s", offset_of!(Data, strings) + 8),
    ("%5s", offset_of!(Data, buffer)),
    ("%[ab]", offset_of!(Data, buffer)),
    ("%dz", offset_of!(Data, ints)),
    ("%d%%", offset_of!(Data, ints)),
    ("%*d", offset_of!(Data, ints)),
    ("%n", offset_of!(Data, ints)),
    ("%", offset_of!(Data, ints)),
];
const PARAMETERS: &[&str] = &[
    "",
    "5",
    "-7",
    "abc",
    "0x1f",
    "1.5e3",
    "=5",
    " 5",
    "5z",
    "a\\,b",
    "%d",
    "5%",
    "\\101",
    "\\",
    "\\377\\1",
    "a,b",
    "010",
    "\\\\",
    "99999999999",
    "\\401",
    "a\\000b",
    "-o",
    "--",
];
const PLAIN: &[&str] =
    &["m", "-", "--", "-o", "", "-oa", "-o,", "-ho", "--long", "-ab", "keep", "=", " ", "-x=y"];
const KEYS: &[c_int] = &[-4, -3, -2, -1, 0, 1, 5, 77];

fn table(rng: &mut Rng) -> Table {
    let mut table = Table { opts: vec![], templates: vec![] };
    for _ in 0..rng.below(8) {
        let prefix = rng.pick(PREFIXES);
        let separator = rng.pick(SEPARATORS);
        let mut templ = format!("{prefix}{separator}");
        let mut offset = offset_of!(Data, ints) + 4 * rng.below(3);
        let parameter = templ.find('=').or_else(|| templ.find(' '));
        if rng.percent(50) {
            let (format, field) = FORMATS[rng.below(FORMATS.len())];
            templ += format;
            // A format must only meet the field it is for; without effect it meets an int.
            if parameter.is_some_and(|at| at > 0 && templ[at + 1..].starts_with('%')) {
                offset = field;
            }
        } else if rng.percent(10) {
            templ += "text";
        }
        let mut value = rng.below(100) as c_int;
        let mut offset = offset as c_ulong;
        if rng.percent(30) {
            offset = KEY_OFFSET;
            value = KEYS[rng.below(KEYS.len())];
        }
        let templ = CString::new(templ).unwrap();
        table.opts.push(FuseOpt { templ: templ.as_ptr(), offset, value });
        table.templates.push(templ);
    }
    table.opts.push(FuseOpt::END);
    table
}

/// An argument, more often than not one that a template of the table matches.
fn word(rng: &mut Rng, table: &Table) -> String {
    if !table.templates.is_empty() && rng.percent(70) {
        let templ = &table.templates[rng.below(table.templates.len())];
        let templ = templ.to_str().unwrap();
        let mut word = templ.split('%').next().unwrap().to_string();
        if word.ends_with(' ') && rng.percent(90) {
            word.pop();
        }
        if rng.percent(70) {
            word += rng.pick(PARAMETERS);
        }
        word
    } else if rng.percent(50) {
        format!("{}{}{}", rng.pick(PREFIXES), rng.pick(SEPARATORS), rng.pick(PARAMETERS))
    } else {
        rng.pick(PLAIN).to_string()
    }
}

fn arguments(rng: &mut Rng, table: &Table) -> Vec<CString> {
    let mut list = vec![rng.pick(&["prog", "/bin/prog", "", "-p"]).to_string()];
    for _ in 0..rng.below(7) {
        if rng.percent(35) {
            let options = (0..rng.below(4) + 1).map(|_| word(rng, table)).collect::<Vec<_>>();
            if rng.percent(50) {
                list.push(format!("-o{}", options.join(",")));
            } else {
                list.push("-o".into());
                list.push(options.join(","));
            }
        } else {
            list.push(word(rng, table));
        }
    }
    list.into_iter().map(|arg| CString::new(arg).unwrap()).collect()
}

/// Keeps, drops, fails or edits the result, as a hash of the argument says.
unsafe extern "C" fn callback(
    data: *mut c_void,
    arg: *const c_char,
    key: c_int,
    out: *mut FuseArgs,
) -> c_int {
    // SAFETY: called by the parsers with the test's data and valid arguments.
    unsafe {
        let data = &mut *data.cast::<Data>();
        let text = CStr::from_ptr(arg);
        data.trace.push(format!("{text:?} {key} {}", show(&*out)));
        let hash = text
            .to_bytes()
            .iter()
            .fold(data.seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let mut rng = Rng(hash ^ key as u64);
        let api = &*data.api;
        match rng.below(100) {
            0..50 => 1,
            50..70 => 0,
            70..73 => -1,
            73..78 => -2,
            78..80 => 7,
            80..90 => {
                assert_eq!((api.add_arg)(out, c"added".as_ptr()), 0);
                rng.below(2) as c_int
            }
            _ => {
                let pos = rng.below((*out).argc as usize + 1) as c_int;
                assert_eq!((api.insert_arg)(out, pos, c"--".as_ptr()), 0);
                rng.below(2) as c_int
            }
        }
    }
}

/// Everything a program could see of one call, the call's result and the number of callbacks.
fn outcome(api: &Api, seed: u64) -> (String, c_int, usize) {
    let mut rng = Rng(seed);
    let table = table(&mut rng);
    let list = arguments(&mut rng, &table);
    let mut args = Args::new(api, &list, rng.percent(30));
    let before = (args.args.argc, args.args.argv);
    let mut data = Data {
        ints: [0; 3],
        uint: 0,
        long: 0,
        double: 0.0,
        strings: [std::ptr::null_mut(); 2],
        buffer: [0; 256],
        api,
        seed: rng.next(),
        trace: vec![],
    };
    let proc = rng.percent(85).then_some(callback as unsafe extern "C" fn(_, _, _, _) -> _);
    let opts = if rng.percent(95) { table.opts.as_ptr() } else { std::ptr::null() };
    // SAFETY: the table fits the data.
    let result = unsafe { (api.parse)(&mut args.args, (&raw mut data).cast(), opts, proc) };
    if result != 0 {
        assert_eq!(before, (args.args.argc, args.args.argv), "changed by a failure");
    }
    let strings = data.strings.map(|string| {
        // SAFETY: NULL or a string of the parser, to be freed once.
        unsafe {
            let copy = (!string.is_null()).then(|| CStr::from_ptr(string).to_owned());
            libc::free(string.cast());
            copy
        }
    });
    let numbers = (data.ints, data.uint, data.long, data.double);
    let shown = format!(
        "{:?} {list:?}\n  {result} {}\n  {numbers:?} {strings:?} {:?}\n  {:#?}\n  {:?}",
        table.templates,
        show(&args.args),
        CStr::from_bytes_until_nul(&data.buffer),
        data.trace,
        take_log(),
    );
    args.free(api);
    (shown, result, data.trace.len())
}

#[test]
fn parse_behaves_as_libfuse() {
    capture_log(&OURS);
    capture_log(theirs());
    let (mut failures, mut callbacks) = (0, 0);
    for seed in 0..PARSE_CASES {
        let expected = outcome(theirs(), seed);
        assert_eq!(expected, outcome(&OURS, seed), "seed {seed}");
        failures += u64::from(expected.1 != 0);
        callbacks += expected.2;
    }
    // The generator has to reach both ends, or equality would prove little.
    assert!((PARSE_CASES / 40..PARSE_CASES / 2).contains(&failures), "{failures} failed");
    assert!(callbacks as u64 > PARSE_CASES / 4, "{callbacks} callbacks");
}

#[test]
fn match_behaves_as_libfuse() {
    let mut matched = 0;
    for seed in 0..20_000 {
        let mut rng = Rng(seed);
        let table = table(&mut rng);
        let word = CString::new(word(&mut rng, &table)).unwrap();
        // SAFETY: a table and a C string.
        let [expected, ours] = [theirs(), &OURS]
            .map(|api| unsafe { (api.matches)(table.opts.as_ptr(), word.as_ptr()) });
        assert_eq!(expected, ours, "{:?} {word:?}", table.templates);
        matched += expected;
    }
    assert!((2_000..18_000).contains(&matched), "{matched}");
}

#[test]
fn option_lists_grow_as_libfuse() {
    let build = |api: &Api, seed| {
        let mut rng = Rng(seed);
        let mut list = std::ptr::null_mut();
        let mut shown = Vec::new();
        for _ in 0..rng.below(8) {
            let option = CString::new(rng.pick(PARAMETERS)).unwrap();
            let add = if rng.percent(50) { api.add_opt } else { api.add_opt_escaped };
            // SAFETY: NULL or a list of this library, and a C string.
            unsafe {
                assert_eq!(add(&mut list, option.as_ptr()), 0);
                shown.push(CStr::from_ptr(list).to_owned());
            }
        }
        // SAFETY: NULL or from malloc.
        unsafe { libc::free(list.cast()) };
        shown
    };
    for seed in 0..10_000 {
        assert_eq!(build(theirs(), seed), build(&OURS, seed), "seed {seed}");
    }
}

#[test]
fn vectors_grow_as_libfuse() {
    let build = |api: &Api, seed| {
        let mut rng = Rng(seed);
        let mut args = Args::new(api, &[], true);
        let mut shown = Vec::new();
        for _ in 0..rng.below(12) {
            let arg = CString::new(rng.pick(PARAMETERS)).unwrap();
            // SAFETY: a valid vector and a C string; the position is in the vector.
            let result = unsafe {
                if rng.percent(40) {
                    (api.add_arg)(&mut args.args, arg.as_ptr())
                } else {
                    let pos = rng.below(args.args.argc as usize + 1) as c_int;
                    (api.insert_arg)(&mut args.args, pos, arg.as_ptr())
                }
            };
            shown.push((result, show(&args.args)));
        }
        args.free(api);
        shown
    };
    for seed in 0..10_000 {
        assert_eq!(build(theirs(), seed), build(&OURS, seed), "seed {seed}");
    }
}
