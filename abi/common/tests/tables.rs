//! Layouts and constants against the tables of facts about libfuse's headers.

use std::collections::HashMap;
use std::mem::{align_of, offset_of, size_of};

use ferrofuse_abi_common::cmdline::CmdlineOpts;
use ferrofuse_abi_common::conn_info::{self, ConnInfo};
use ferrofuse_abi_common::log;
use ferrofuse_abi_common::opt::{self, FuseArgs, FuseOpt};

/// The rows of a table as columns.
fn rows(name: &str) -> Vec<Vec<String>> {
    let path = format!("{}/../tables/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

macro_rules! check_layout {
    ($rows:expr, $name:literal, $type:ty, [$($field:ident),*]) => {{
        let fields: HashMap<&str, usize> =
            [$((stringify!($field), offset_of!($type, $field))),*].into();
        let mut seen = 0;
        for row in $rows.iter().filter(|row| row[0] == $name) {
            assert_eq!(row[1], size_of::<$type>().to_string(), "size of {}", $name);
            assert_eq!(row[2], align_of::<$type>().to_string(), "alignment of {}", $name);
            let offset = fields.get(row[4].as_str());
            let offset = offset.unwrap_or_else(|| panic!("{} has no field {}", $name, row[4]));
            assert_eq!(row[6], offset.to_string(), "offset of {}.{}", $name, row[4]);
            seen += 1;
        }
        assert_eq!(seen, fields.len(), "fields of {}", $name);
    }};
}

#[test]
fn layouts_are_those_of_the_headers() {
    let rows = rows("layout-fuse3-3.14.tsv");
    check_layout!(rows, "fuse_args", FuseArgs, [argc, argv, allocated]);
    check_layout!(rows, "fuse_opt", FuseOpt, [templ, offset, value]);
    check_layout!(
        rows,
        "fuse_cmdline_opts",
        CmdlineOpts,
        [
            singlethread,
            foreground,
            debug,
            nodefault_subtype,
            mountpoint,
            show_version,
            show_help,
            clone_fd,
            max_idle_threads,
            max_threads
        ]
    );
    check_layout!(
        rows,
        "fuse_conn_info",
        ConnInfo,
        [
            proto_major,
            proto_minor,
            max_write,
            max_read,
            max_readahead,
            capable,
            want,
            max_background,
            congestion_threshold,
            time_gran,
            reserved
        ]
    );
}

#[test]
fn constants_are_those_of_the_headers() {
    let rows = rows("constants-fuse3.tsv");
    let value = |name: &str| -> i64 {
        let row = rows.iter().find(|row| row[0] == name);
        row.unwrap_or_else(|| panic!("{name} is in no table"))[2].parse().unwrap()
    };
    let ours: [(&str, i64); 19] = [
        ("FUSE_OPT_KEY_OPT", opt::FUSE_OPT_KEY_OPT.into()),
        ("FUSE_OPT_KEY_NONOPT", opt::FUSE_OPT_KEY_NONOPT.into()),
        ("FUSE_OPT_KEY_KEEP", opt::FUSE_OPT_KEY_KEEP.into()),
        ("FUSE_OPT_KEY_DISCARD", opt::FUSE_OPT_KEY_DISCARD.into()),
        ("FUSE_LOG_ERR", log::FUSE_LOG_ERR.into()),
        ("FUSE_LOG_WARNING", log::FUSE_LOG_WARNING.into()),
        ("FUSE_LOG_INFO", log::FUSE_LOG_INFO.into()),
        ("FUSE_LOG_DEBUG", log::FUSE_LOG_DEBUG.into()),
        ("FUSE_CAP_ASYNC_READ", conn_info::CAP_ASYNC_READ.into()),
        ("FUSE_CAP_POSIX_LOCKS", conn_info::CAP_POSIX_LOCKS.into()),
        ("FUSE_CAP_SPLICE_WRITE", conn_info::CAP_SPLICE_WRITE.into()),
        ("FUSE_CAP_SPLICE_MOVE", conn_info::CAP_SPLICE_MOVE.into()),
        ("FUSE_CAP_SPLICE_READ", conn_info::CAP_SPLICE_READ.into()),
        ("FUSE_CAP_FLOCK_LOCKS", conn_info::CAP_FLOCK_LOCKS.into()),
        ("FUSE_CAP_AUTO_INVAL_DATA", conn_info::CAP_AUTO_INVAL_DATA.into()),
        ("FUSE_CAP_READDIRPLUS", conn_info::CAP_READDIRPLUS.into()),
        ("FUSE_CAP_READDIRPLUS_AUTO", conn_info::CAP_READDIRPLUS_AUTO.into()),
        ("FUSE_CAP_ASYNC_DIO", conn_info::CAP_ASYNC_DIO.into()),
        ("FUSE_CAP_WRITEBACK_CACHE", conn_info::CAP_WRITEBACK_CACHE.into()),
    ];
    for (name, ours) in ours {
        assert_eq!(value(name), ours, "{name}");
    }
}
