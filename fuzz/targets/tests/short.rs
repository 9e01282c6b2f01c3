//! All targets over their corpora and a few thousand mutations, without the fuzzer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ferrofuse_fuzz_targets::TARGETS;

/// Most mutations, and the time after which no more are made.
const MUTATIONS: u64 = 4000;
const LIMIT: Duration = Duration::from_secs(2);

/// A generator of xorshift numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize
    }
}

fn mutate(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.next() % 6 {
        let at = random.next() % (bytes.len() + 1);
        match random.next() % 5 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.next() as u8),
            2 => bytes.extend_from_slice(&other[random.next() % (other.len() + 1)..]),
            3 => bytes.extend((0..random.next() % 64).map(|_| random.next() as u8)),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = [0, 0xff, 0x7f, random.next() as u8][random.next() % 4];
                }
            }
        }
    }
    bytes
}

#[test]
fn corpus_and_mutations() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, target) in TARGETS {
        let mut seeds: Vec<Vec<u8>> = fs::read_dir(corpora.join(name))
            .unwrap_or_else(|error| panic!("corpus of {name}: {error}"))
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect();
        assert!(!seeds.is_empty(), "{name} has no corpus");
        seeds.sort();
        seeds.iter().for_each(|seed| target(seed));
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let start = Instant::now();
        let mut runs = 0;
        while runs < MUTATIONS && start.elapsed() < LIMIT {
            let (a, b) = (random.next() % seeds.len(), random.next() % seeds.len());
            target(&mutate(&seeds[a], &seeds[b], &mut random));
            runs += 1;
        }
        println!("{name}: {} seeds, {runs} mutations", seeds.len());
    }
}
