//! `ferrofuse top`: running filesystems on the screen, live.

mod model;
mod view;

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use lexopt::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::stats::Filter;
use model::Model;

/// The text of `ferrofuse top --help`.
pub const USAGE: &str = "\
Usage: ferrofuse top [--interval SECONDS] [--once] [--width N] [--height N] [PID | MOUNTPOINT]...

Shows the running filesystems of this user (of all users, as root). The upper table has a line for each;
the arrow keys select the one whose requests stand below. q ends it.

--once prints one picture, of one interval, and needs no terminal; --width and --height are its size.
";

struct Wish {
    interval: Duration,
    once: bool,
    width: u16,
    height: u16,
    filter: Filter,
}

/// `ferrofuse top`.
pub fn main(mut args: lexopt::Parser) -> Result<ExitCode, lexopt::Error> {
    let mut wish = Wish {
        interval: Duration::from_secs(1),
        once: false,
        width: 120,
        height: 40,
        filter: Filter::default(),
    };
    while let Some(arg) = args.next()? {
        match arg {
            Long("interval") => {
                let seconds: f64 = args.value()?.parse()?;
                let interval = Duration::try_from_secs_f64(seconds);
                let interval = interval.map_err(|_| "--interval: no number of seconds")?;
                wish.interval =
                    interval.clamp(Duration::from_millis(50), Duration::from_secs(3600));
            }
            Long("once") => wish.once = true,
            Long("width") => wish.width = args.value()?.parse()?,
            Long("height") => wish.height = args.value()?.parse()?,
            Short('h') | Long("help") => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            Value(wanted) => wish.filter.add(wanted),
            other => return Err(other.unexpected()),
        }
    }
    let shown = if wish.once { once(&wish) } else { live(&wish) };
    shown.map_err(|error| format!("the terminal: {error}; --once needs none"))?;
    Ok(ExitCode::SUCCESS)
}

/// One picture, as text.
fn once(wish: &Wish) -> io::Result<()> {
    let mut model = Model::new(wish.filter.clone());
    model.update();
    std::thread::sleep(wish.interval);
    model.update();
    let Ok(mut terminal) = Terminal::new(TestBackend::new(wish.width, wish.height));
    let Ok(_) = terminal.draw(|frame| view::draw(frame, &model));
    let buffer = terminal.backend().buffer();
    for line in buffer.content.chunks(wish.width.max(1).into()) {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        println!("{}", line.trim_end());
    }
    Ok(())
}

fn live(wish: &Wish) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let result = show(&mut terminal, wish);
    ratatui::try_restore()?;
    result
}

fn show(terminal: &mut ratatui::DefaultTerminal, wish: &Wish) -> io::Result<()> {
    let mut model = Model::new(wish.filter.clone());
    loop {
        model.update();
        let next = Instant::now() + wish.interval;
        loop {
            terminal.draw(|frame| view::draw(frame, &model))?;
            if !event::poll(next.saturating_duration_since(Instant::now()))? {
                break;
            }
            let Event::Key(key) = event::read()? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c') if control => return Ok(()),
                KeyCode::Down | KeyCode::Char('j') => model.select(1),
                KeyCode::Up | KeyCode::Char('k') => model.select(-1),
                _ => {}
            }
        }
    }
}
