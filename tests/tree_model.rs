//! The path tree against a simple model of what the kernel knows: after any sequence of requests
//! every node still means the file it meant when it was looked up, every operation gets the path
//! that the model says, and the tree holds exactly the nodes that it must.

mod tree_support;

use proptest::prelude::*;

use ferrofuse::Errno;
use ferrofuse::tree::TreeConfig;
use tree_support::Kernel;
use tree_support::memory::{Call, FILE, MemoryFs, ROOT_INO};

const NAMES: [&str; 4] = ["a", "b", "a name that is longer than what fits inline", "d"];

/// Numbers choose among what there is at that moment.
#[derive(Clone, Debug)]
enum Step {
    Lookup { dir: usize, name: usize, lost: bool },
    Create { dir: usize, name: usize, lost: bool },
    Mknod { dir: usize, name: usize },
    Mkdir { dir: usize, name: usize },
    Symlink { dir: usize, name: usize },
    Link { node: usize, dir: usize, name: usize },
    Unlink { dir: usize, name: usize },
    Rmdir { dir: usize, name: usize },
    Rename { from: (usize, usize), to: (usize, usize), flags: u32 },
    Open { node: usize, lost: bool },
    Release { file: usize },
    Getattr { node: usize },
    GetattrOpen { file: usize },
    List { dir: usize, stream: bool, lost: bool },
    Forget { node: usize, all: bool },
    BatchForget { node: usize, count: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let n = 0..64usize;
    let place = (n.clone(), 0..NAMES.len());
    let lost = prop::bool::weighted(0.15);
    let lossy = (place.clone(), lost);
    let flags = prop::sample::select(vec![0, 0, libc::RENAME_NOREPLACE, libc::RENAME_EXCHANGE]);
    let step = prop_oneof![
        3 => lossy.clone().prop_map(|((dir, name), lost)| Lookup { dir, name, lost }),
        3 => lossy.prop_map(|((dir, name), lost)| Create { dir, name, lost }),
        1 => place.clone().prop_map(|(dir, name)| Mknod { dir, name }),
        4 => place.clone().prop_map(|(dir, name)| Mkdir { dir, name }),
        1 => place.clone().prop_map(|(dir, name)| Symlink { dir, name }),
        2 => (n.clone(), place.clone()).prop_map(|(node, (dir, name))| Link { node, dir, name }),
        3 => place.clone().prop_map(|(dir, name)| Unlink { dir, name }),
        2 => place.clone().prop_map(|(dir, name)| Rmdir { dir, name }),
        6 => (place.clone(), place, flags)
            .prop_map(|(from, to, flags)| Rename { from, to, flags }),
        3 => (n.clone(), lost).prop_map(|(node, lost)| Open { node, lost }),
        2 => n.clone().prop_map(|file| Release { file }),
        3 => n.clone().prop_map(|node| Getattr { node }),
        1 => n.clone().prop_map(|file| GetattrOpen { file }),
        2 => (n.clone(), any::<bool>(), lost)
            .prop_map(|(dir, stream, lost)| List { dir, stream, lost }),
        2 => (n.clone(), any::<bool>()).prop_map(|(node, all)| Forget { node, all }),
        1 => (n, 1..4usize).prop_map(|(node, count)| BatchForget { node, count }),
    ];
    prop::collection::vec(step, 1..80)
}

/// A node as the kernel knows it.
#[derive(Clone, Debug)]
struct Node {
    id: u64,
    ino: u64,
    /// Place in the model's list, and name; `None` once deleted.
    place: Option<(usize, String)>,
    is_dir: bool,
    nlookup: u64,
    opens: u32,
    hidden: bool,
}

struct Model {
    fs: MemoryFs,
    kernel: Kernel<MemoryFs>,
    /// All nodes ever seen; 0 is the root.
    nodes: Vec<Node>,
    /// Open files: node and handle.
    files: Vec<(usize, u64)>,
}

impl Model {
    fn new(stream: bool) -> Model {
        let fs = MemoryFs { stream, ..MemoryFs::new() };
        let kernel = Kernel::new(fs.clone(), TreeConfig::default());
        let root = Node {
            id: 1,
            ino: ROOT_INO,
            place: None,
            is_dir: true,
            nlookup: 1,
            opens: 0,
            hidden: false,
        };
        Model { fs, kernel, nodes: vec![root], files: Vec::new() }
    }

    fn has_children(&self, at: usize) -> bool {
        let is_child = |node: &Node| node.place.as_ref().is_some_and(|(dir, _)| *dir == at);
        self.nodes.iter().enumerate().any(|(child, node)| is_child(node) && self.is_held(child))
    }

    /// Whether the tree must have this node.
    fn is_held(&self, at: usize) -> bool {
        at == 0 || self.nodes[at].nlookup > 0 || self.has_children(at)
    }

    fn path(&self, at: usize) -> Option<String> {
        if at == 0 {
            return Some("/".to_owned());
        }
        let (dir, name) = self.nodes[at].place.as_ref()?;
        self.path_of(*dir, name)
    }

    fn path_of(&self, dir: usize, name: &str) -> Option<String> {
        Some(match self.path(dir)?.as_str() {
            "/" => format!("/{name}"),
            dir => format!("{dir}/{name}"),
        })
    }

    fn child(&self, dir: usize, name: &str) -> Option<usize> {
        let is_it = |at: &usize| {
            let place = &self.nodes[*at].place;
            place.as_ref().is_some_and(|place| place.0 == dir && place.1 == name)
                && self.is_held(*at)
        };
        (1..self.nodes.len()).find(is_it)
    }

    /// A node that the kernel may name in a request.
    fn pick(&self, number: usize, condition: impl Fn(&Node) -> bool) -> Option<usize> {
        let fit: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].nlookup > 0 && condition(&self.nodes[*at]))
            .collect();
        (!fit.is_empty()).then(|| fit[number % fit.len()])
    }

    /// A directory that still has a path.
    fn pick_dir(&self, number: usize) -> usize {
        let fit: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].nlookup > 0 && self.nodes[*at].is_dir)
            .filter(|at| self.path(*at).is_some())
            .collect();
        fit[number % fit.len()]
    }

    /// The calls that were made, each with the same paths.
    fn expect(&self, op: &'static str, paths: &[Option<String>]) {
        let calls = self.fs.memory.take_calls();
        let expected = Call(op, paths.to_vec());
        assert!(calls.contains(&expected), "{expected:?} is not among {calls:?}");
    }

    /// The kernel was told of a node.
    fn known(&mut self, dir: usize, name: &str, id: u64, is_dir: bool) -> usize {
        let path = self.path_of(dir, name).unwrap();
        let ino = self.fs.memory.ino(&path).unwrap();
        match self.child(dir, name) {
            Some(at) => {
                assert_eq!(self.nodes[at].id, id, "{path} has changed its node");
                assert_eq!(self.nodes[at].ino, ino);
                self.nodes[at].nlookup += 1;
                at
            }
            None => {
                let held = (0..self.nodes.len()).filter(|at| self.is_held(*at));
                assert!(held.map(|at| self.nodes[at].id).all(|other| other != id));
                let place = Some((dir, name.to_owned()));
                self.nodes.push(Node {
                    id,
                    ino,
                    place,
                    is_dir,
                    nlookup: 1,
                    opens: 0,
                    hidden: false,
                });
                self.nodes.len() - 1
            }
        }
    }

    /// As the kernel does before it changes a name.
    fn look_up(&mut self, dir: usize, name: &str) -> Option<usize> {
        let path = self.path_of(dir, name).unwrap();
        let result = self.kernel.lookup(self.nodes[dir].id, name.as_bytes());
        self.expect("getattr", &[Some(path.clone())]);
        match result {
            Ok(entry) => {
                assert_eq!(Some(entry.attr.ino), self.fs.memory.ino(&path));
                let is_dir = entry.attr.mode & libc::S_IFMT == libc::S_IFDIR;
                Some(self.known(dir, name, entry.nodeid, is_dir))
            }
            Err(error) => {
                assert_eq!(error, Errno::ENOENT);
                assert_eq!(self.fs.memory.ino(&path), None);
                None
            }
        }
    }

    /// A name was taken away; an open file's is hidden.
    fn gone(&mut self, at: usize) {
        let Node { opens, id, .. } = self.nodes[at];
        let (dir, _) = self.nodes[at].place.clone().unwrap();
        if opens == 0 {
            self.nodes[at].place = None;
            return;
        }
        let prefix = self.path_of(dir, &format!(".fuse_hidden{id:08x}")).unwrap();
        let path = self.fs.memory.paths().into_iter().find(|path| path.starts_with(&prefix));
        let path = path.unwrap_or_else(|| panic!("no hidden file of node {id}"));
        assert_eq!(self.fs.memory.ino(&path), Some(self.nodes[at].ino));
        let name = path.rsplit('/').next().unwrap().to_owned();
        self.nodes[at].place = Some((dir, name));
        self.nodes[at].hidden = true;
    }

    fn is_at_or_below(&self, mut at: usize, above: usize) -> bool {
        loop {
            if at == above {
                return true;
            }
            match &self.nodes[at].place {
                Some((dir, _)) => at = *dir,
                None => return false,
            }
        }
    }

    fn rename(&mut self, from: (usize, usize), to: (usize, usize), flags: u32) {
        let (dir, newdir) = (self.pick_dir(from.0), self.pick_dir(to.0));
        let (name, newname) = (NAMES[from.1], NAMES[to.1]);
        let Some(source) = self.look_up(dir, name) else { return };
        let target = self.look_up(newdir, newname);
        let exchange = flags & libc::RENAME_EXCHANGE != 0;
        // What the kernel never asks for.
        if self.is_at_or_below(newdir, source)
            || (exchange && target.is_none())
            || (flags & libc::RENAME_NOREPLACE != 0 && target.is_some())
            || target.is_some_and(|target| {
                self.nodes[target].ino == self.nodes[source].ino
                    || self.is_at_or_below(dir, target)
                    || (!exchange && self.nodes[target].is_dir != self.nodes[source].is_dir)
            })
        {
            return;
        }
        let paths = [self.path_of(dir, name), self.path_of(newdir, newname)];
        let ids = (self.nodes[dir].id, self.nodes[newdir].id);
        let result =
            self.kernel.rename((ids.0, name.as_bytes()), (ids.1, newname.as_bytes()), flags);
        self.expect("rename", &paths);
        match result {
            Ok(()) => {
                if let Some(target) = target {
                    if exchange {
                        self.nodes[target].place = Some((dir, name.to_owned()));
                    } else {
                        self.gone(target);
                    }
                }
                self.nodes[source].place = Some((newdir, newname.to_owned()));
            }
            Err(error) => assert_eq!(error, Errno::ENOTEMPTY),
        }
    }

    fn release(&mut self, file: usize) {
        if self.files.is_empty() {
            return;
        }
        let (at, fh) = self.files.swap_remove(file % self.files.len());
        let path = self.path(at);
        self.kernel.release(self.nodes[at].id, fh).unwrap();
        self.expect("release", std::slice::from_ref(&path));
        let node = &mut self.nodes[at];
        node.opens -= 1;
        if node.opens == 0 && node.hidden {
            node.hidden = false;
            node.place = None;
            assert_eq!(self.fs.memory.ino(&path.unwrap()), None, "the hidden file is still there");
        }
    }

    fn list(&mut self, number: usize, lost: bool) {
        let dir = self.pick_dir(number);
        let id = self.nodes[dir].id;
        let fh = self.kernel.opendir(id).unwrap().fh;
        if lost {
            self.kernel.lose_readdirplus(id, fh);
        }
        let mut names = Vec::new();
        let mut offset = 0;
        loop {
            // Room for one to three entries.
            let entries = self.kernel.readdirplus(id, fh, offset, 520).unwrap();
            self.fs.memory.take_calls();
            let Some(last) = entries.last() else { break };
            offset = last.offset;
            for entry in entries {
                if entry.nodeid != 0 {
                    let is_dir = entry.kind == libc::S_IFDIR;
                    self.known(dir, &entry.name, entry.nodeid, is_dir);
                }
                names.push(entry.name);
            }
        }
        self.kernel.releasedir(id, fh).unwrap();
        let below = self.path_of(dir, "").unwrap();
        let paths = self.fs.memory.paths();
        let inside = paths.iter().filter_map(|path| path.strip_prefix(&below));
        let mut expected: Vec<&str> =
            inside.filter(|rest| !rest.is_empty() && !rest.contains('/')).collect();
        expected.extend([".", ".."]);
        expected.sort_unstable();
        names.sort_unstable();
        assert_eq!(names, expected);
    }

    fn forget(&mut self, at: usize, count: u64) {
        // The kernel keeps what is open.
        let keep = u64::from(self.nodes[at].opens > 0 || at == 0);
        let count = count.min(self.nodes[at].nlookup - keep);
        self.nodes[at].nlookup -= count;
        if count > 0 {
            self.kernel.forget(self.nodes[at].id, count);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Lookup { dir, name, lost } => {
                let dir = self.pick_dir(dir);
                if lost {
                    self.kernel.lose_lookup(self.nodes[dir].id, NAMES[name].as_bytes());
                } else {
                    self.look_up(dir, NAMES[name]);
                }
            }
            Step::Create { dir, name, lost } => {
                let (dir, name) = (self.pick_dir(dir), NAMES[name]);
                if self.look_up(dir, name).is_some() {
                    return;
                }
                let id = self.nodes[dir].id;
                if lost {
                    self.kernel.lose_create(id, name.as_bytes());
                    return;
                }
                let (entry, open) = self.kernel.create(id, name.as_bytes()).unwrap();
                self.expect("create", &[self.path_of(dir, name)]);
                let at = self.known(dir, name, entry.nodeid, false);
                self.nodes[at].opens += 1;
                self.files.push((at, open.fh));
            }
            Step::Mknod { dir, name } => {
                self.make(dir, name, "create", false, |kernel, id, name| {
                    kernel.mknod(id, name, FILE).map(|entry| entry.nodeid)
                });
            }
            Step::Mkdir { dir, name } => {
                self.make(dir, name, "mkdir", true, |kernel, id, name| {
                    kernel.mkdir(id, name).map(|entry| entry.nodeid)
                });
            }
            Step::Symlink { dir, name } => {
                self.make(dir, name, "symlink", false, |kernel, id, name| {
                    kernel.symlink(id, name, b"target").map(|entry| entry.nodeid)
                });
            }
            Step::Link { node, dir, name } => {
                let file = |node: &Node| !node.is_dir && node.place.is_some() && !node.hidden;
                let Some(node) = self.pick(node, file) else { return };
                let (dir, name) = (self.pick_dir(dir), NAMES[name]);
                if self.look_up(dir, name).is_some() {
                    return;
                }
                let (id, newdir) = (self.nodes[node].id, self.nodes[dir].id);
                let paths = [self.path(node), self.path_of(dir, name)];
                match self.kernel.link(id, newdir, name.as_bytes()) {
                    Ok(entry) => {
                        self.expect("link", &paths);
                        assert_eq!(entry.attr.ino, self.nodes[node].ino);
                        self.known(dir, name, entry.nodeid, false);
                    }
                    // Its own directory was forgotten and removed.
                    Err(error) => assert_eq!((error, &paths[0]), (Errno::ESTALE, &None)),
                }
            }
            Step::Unlink { dir, name } => {
                let (dir, name) = (self.pick_dir(dir), NAMES[name]);
                let Some(at) = self.look_up(dir, name) else { return };
                if self.nodes[at].is_dir {
                    return;
                }
                let op = if self.nodes[at].opens > 0 { "rename" } else { "unlink" };
                let path = self.path(at);
                self.kernel.unlink(self.nodes[dir].id, name.as_bytes()).unwrap();
                self.gone(at);
                match op {
                    "rename" => self.expect(op, &[path, self.path(at)]),
                    _ => self.expect(op, &[path]),
                }
            }
            Step::Rmdir { dir, name } => {
                let (dir, name) = (self.pick_dir(dir), NAMES[name]);
                let Some(at) = self.look_up(dir, name) else { return };
                if !self.nodes[at].is_dir {
                    return;
                }
                let path = self.path(at);
                let result = self.kernel.rmdir(self.nodes[dir].id, name.as_bytes());
                self.expect("rmdir", &[path]);
                match result {
                    Ok(()) => self.gone(at),
                    Err(error) => assert_eq!(error, Errno::ENOTEMPTY),
                }
            }
            Step::Rename { from, to, flags } => self.rename(from, to, flags),
            Step::Open { node, lost } => {
                let Some(at) = self.pick(node, |node| !node.is_dir) else { return };
                let (id, path) = (self.nodes[at].id, self.path(at));
                if lost && path.is_some() {
                    self.kernel.lose_open(id);
                    return;
                }
                match self.kernel.open(id, libc::O_RDONLY) {
                    Ok(open) => {
                        self.expect("open", &[path]);
                        self.nodes[at].opens += 1;
                        self.files.push((at, open.fh));
                    }
                    Err(error) => assert_eq!((error, path), (Errno::ESTALE, None)),
                }
            }
            Step::Release { file } => self.release(file),
            Step::Getattr { node } => {
                let Some(at) = self.pick(node, |_| true) else { return };
                let path = self.path(at);
                match self.kernel.getattr(self.nodes[at].id, None) {
                    Ok(attr) => {
                        self.expect("getattr", &[path]);
                        assert_eq!(attr.ino, self.nodes[at].ino, "the node means another file");
                    }
                    Err(error) => assert_eq!((error, path), (Errno::ESTALE, None)),
                }
            }
            Step::GetattrOpen { file } => {
                if self.files.is_empty() {
                    return;
                }
                let (at, fh) = self.files[file % self.files.len()];
                let attr = self.kernel.getattr(self.nodes[at].id, Some(fh)).unwrap();
                self.expect("getattr", &[self.path(at)]);
                assert_eq!(attr.ino, self.nodes[at].ino);
            }
            Step::List { dir, lost, .. } => self.list(dir, lost),
            Step::Forget { node, all } => {
                let Some(at) = self.pick(node, |_| true) else { return };
                let count = if all { u64::MAX } else { 1 };
                self.forget(at, count);
            }
            Step::BatchForget { node, count } => {
                let mut forgets = Vec::new();
                for number in node..node + count {
                    let Some(at) = self.pick(number, |node| node.opens == 0 && node.id != 1) else {
                        break;
                    };
                    forgets.push((self.nodes[at].id, 1));
                    self.nodes[at].nlookup -= 1;
                }
                self.kernel.batch_forget(&forgets);
            }
        }
    }

    fn make(
        &mut self,
        dir: usize,
        name: usize,
        op: &'static str,
        is_dir: bool,
        make: impl FnOnce(&Kernel<MemoryFs>, u64, &[u8]) -> Result<u64, Errno>,
    ) {
        let (dir, name) = (self.pick_dir(dir), NAMES[name]);
        if self.look_up(dir, name).is_some() {
            return;
        }
        let id = make(&self.kernel, self.nodes[dir].id, name.as_bytes()).unwrap();
        self.expect(op, &[self.path_of(dir, name)]);
        self.known(dir, name, id, is_dir);
    }

    /// The tree has exactly the nodes it must have.
    fn check(&self) {
        let held = (0..self.nodes.len()).filter(|at| self.is_held(*at)).count();
        assert_eq!(self.kernel.tree.node_count(), held);
        let violations = self.fs.memory.violations.lock().unwrap();
        assert!(violations.is_empty(), "{violations:?}");
    }

    /// Unmounts: everything is closed and forgotten.
    fn finish(mut self) {
        while !self.files.is_empty() {
            self.release(0);
        }
        for at in 1..self.nodes.len() {
            self.forget(at, u64::MAX);
        }
        assert_eq!(self.kernel.tree.node_count(), 1, "nodes are left over");
        assert_eq!(self.fs.memory.open_files(), 0);
        let hidden = |path: &String| path.contains(".fuse_hidden");
        assert!(!self.fs.memory.paths().iter().any(hidden), "hidden files are left over");
    }
}

fn run(steps: Vec<Step>) {
    let stream = steps.iter().any(|step| matches!(step, Step::List { stream: true, .. }));
    let mut model = Model::new(stream);
    for step in steps {
        model.fs.memory.take_calls();
        model.step(step);
        model.check();
    }
    model.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_and_the_model_agree(steps in steps()) {
        run(steps);
    }
}
