//! Where a connection is mounted.

/// The mount point of a FUSE connection, as the process that serves it sees it.
pub fn mount_point(process: u32, connection: u32) -> Option<String> {
    let table = std::fs::read_to_string(format!("/proc/{process}/mountinfo"))
        .or_else(|_| std::fs::read_to_string("/proc/self/mountinfo"));
    table.ok()?.lines().find_map(|line| at(line, connection))
}

/// The mount point in a line of mountinfo, if the line is of this connection.
fn at(line: &str, connection: u32) -> Option<String> {
    let mut fields = line.split(' ').skip(2);
    let (device, point) = (fields.next()?, fields.nth(1)?);
    let (major, minor) = device.split_once(':')?;
    let kind = line.split_once(" - ")?.1;
    // Block devices have numbers of their own, and are named by path.
    let is_fuse = major == "0" && kind.starts_with("fuse");
    (is_fuse && minor.parse() == Ok(connection)).then(|| unescape(point))
}

/// Resolves what the kernel writes as `\ooo`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_mountinfo() {
        let line = r"111 91 0:44 / /mnt/a\040b rw,nosuid - fuse.sshfs host: rw,user_id=0";
        assert_eq!(at(line, 44), Some("/mnt/a b".into()));
        assert_eq!(at(line, 45), None);
        assert_eq!(at("20 1 0:44 / /proc rw shared:1 - proc proc rw", 44), None);
        assert_eq!(at("20 1 0:44", 44), None);
    }
}
