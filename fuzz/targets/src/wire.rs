//! The parser of requests, for each minor.

use ferrofuse::wire::{Protocol, request};

/// The first two bytes say for which protocol, the rest is the message.
pub fn run(data: &[u8]) {
    let [minor, how, message @ ..] = data else { return };
    let protocol = Protocol { minor: u32::from(*minor) % 64, setxattr_ext: how & 2 != 0 };
    // The length that was received may be any.
    let received = if how & 4 != 0 { message.len() + 4096 } else { message.len() };
    let Ok(header) = request::header(message, received) else { return };
    if let Ok(request::Operation::BatchForget { items }) =
        request::operation(&header, message, protocol, how & 1 != 0)
    {
        assert!(request::forgets(items).count() * 16 <= items.len());
    }
}
