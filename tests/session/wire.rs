//! Requests as bytes, written down by hand from the protocol, not with the engine's own structs.

/// Numbers of opcodes, as the kernel's header has them.
pub mod op {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const READLINK: u32 = 5;
    pub const UNLINK: u32 = 10;
    pub const OPEN: u32 = 14;
    pub const WRITE: u32 = 16;
    pub const INIT: u32 = 26;
    pub const ACCESS: u32 = 34;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const NOTIFY_REPLY: u32 = 41;
    pub const BATCH_FORGET: u32 = 42;
}

/// Whether the kernel waits for an answer to this opcode.
pub fn is_answered(opcode: u32) -> bool {
    ![op::FORGET, op::INTERRUPT, op::NOTIFY_REPLY, op::BATCH_FORGET].contains(&opcode)
}

/// A body under construction.
#[derive(Clone, Default)]
pub struct Body(pub Vec<u8>);

impl Body {
    pub fn u32s(mut self, values: &[u32]) -> Body {
        self.0.extend(values.iter().flat_map(|value| value.to_ne_bytes()));
        self
    }

    pub fn u64s(mut self, values: &[u64]) -> Body {
        self.0.extend(values.iter().flat_map(|value| value.to_ne_bytes()));
        self
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Body {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A name with its NUL.
    pub fn name(self, name: &str) -> Body {
        self.bytes(name.as_bytes()).bytes(&[0])
    }
}

pub fn body() -> Body {
    Body::default()
}

/// A whole message from uid 1001, gid 1002, pid 1003.
pub fn message(opcode: u32, unique: u64, node: u64, body: Body) -> Vec<u8> {
    let len = 40 + body.0.len() as u32;
    Body::default()
        .u32s(&[len, opcode])
        .u64s(&[unique, node])
        .u32s(&[1001, 1002, 1003, 0])
        .bytes(&body.0)
        .0
}

/// INIT of a kernel with this minor and these flags.
pub fn init(unique: u64, minor: u32, flags: u32) -> Vec<u8> {
    let body = match minor {
        0..6 => body().u32s(&[7, minor]),
        6..36 => body().u32s(&[7, minor, 0x20000, flags]),
        _ => body().u32s(&[7, minor, 0x20000, flags]).u32s(&[0; 12]),
    };
    message(op::INIT, unique, 0, body)
}

pub fn access(unique: u64) -> Vec<u8> {
    message(op::ACCESS, unique, 5, body().u32s(&[4, 0]))
}

/// The kernel's request to give up `target`.
pub fn interrupt(target: u64) -> Vec<u8> {
    message(op::INTERRUPT, target | 1, 0, body().u64s(&[target]))
}

/// A message to the kernel, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub unique: u64,
    pub error: i32,
    pub payload: Vec<u8>,
}

impl Answer {
    /// Panics if the length in the header is not that of the message.
    pub fn parse(message: &[u8]) -> Answer {
        let word = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
        assert_eq!(word(0) as usize, message.len(), "length of {message:?}");
        Answer {
            unique: u64::from_ne_bytes(message[8..16].try_into().unwrap()),
            error: word(4).cast_signed(),
            payload: message[16..].to_vec(),
        }
    }
}
