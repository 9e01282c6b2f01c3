//! Drawing.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line as TextLine;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table, TableState};

use super::model::{Line, Model};
use crate::stats::text::{age, bytes, duration};

/// Right-aligned, as numbers are.
fn number(text: String) -> Cell<'static> {
    Cell::from(TextLine::from(text).right_aligned())
}

fn header(names: &'static [&'static str], left: usize) -> Row<'static> {
    let cells = names
        .iter()
        .enumerate()
        .map(|(at, name)| if at < left { Cell::from(*name) } else { number((*name).to_owned()) });
    Row::new(cells).style(Style::new().add_modifier(Modifier::BOLD))
}

fn per_second(value: f64) -> String {
    if value >= 100.0 || value == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Draws all.
pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let tallest = u16::try_from(model.lines.len()).unwrap_or(u16::MAX).saturating_add(3);
    let upper = tallest.clamp(4, (frame.area().height / 2).max(4));
    let areas =
        Layout::vertical([Constraint::Length(1), Constraint::Length(upper), Constraint::Min(3)])
            .split(frame.area());
    let requests: f64 = model.lines.iter().map(|line| line.requests).sum();
    let title = format!(
        "ferrofuse top: {} filesystem{}, {} requests/s   (q: quit, arrows: select)",
        model.lines.len(),
        if model.lines.len() == 1 { "" } else { "s" },
        per_second(requests)
    );
    frame.render_widget(Paragraph::new(title), areas[0]);
    filesystems(frame, areas[1], model);
    if let Some(line) = model.selected().and_then(|at| model.lines.get(at)) {
        let wanted = u16::try_from(line.in_flight.len()).unwrap_or(u16::MAX).saturating_add(3);
        let lower = wanted.clamp(3, (areas[2].height / 3).max(3));
        let parts =
            Layout::vertical([Constraint::Min(3), Constraint::Length(lower)]).split(areas[2]);
        operations(frame, parts[0], line);
        in_flight(frame, parts[1], line);
    } else {
        let none = "No filesystem can be asked. Single-threaded ones can if they were started with \
                    FERROFUSE_STATS=on.";
        frame.render_widget(Paragraph::new(none), areas[2]);
    }
}

fn filesystems(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let rows = model.lines.iter().map(|line| {
        Row::new([
            Cell::from(line.mount.clone()),
            Cell::from(line.program.clone()),
            number(line.process.to_string()),
            number(line.transport.clone()),
            number(per_second(line.requests)),
            number(per_second(line.errors)),
            number(bytes(line.bytes_in as u64)),
            number(bytes(line.bytes_out as u64)),
            number(format!("{:.0}%", line.spliced * 100.0)),
            number(format!("{}/{}", line.workers.busy, line.workers.alive)),
            number(line.in_flight.len().to_string()),
        ])
    });
    let names = &[
        "mount", "program", "pid", "by", "req/s", "err/s", "in/s", "out/s", "spliced", "threads",
        "queue",
    ];
    let widths = [
        Constraint::Min(16),
        Constraint::Length(16),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(6),
        Constraint::Length(10),
        Constraint::Length(10),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(5),
    ];
    let table = Table::new(rows, widths)
        .header(header(names, 2))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .block(Block::bordered().title("filesystems"));
    let mut state = TableState::default().with_selected(model.selected());
    frame.render_stateful_widget(table, area, &mut state);
}

fn operations(frame: &mut Frame<'_>, area: Rect, line: &Line) {
    let rows = line.operations.iter().map(|operation| {
        let latency = operation.latency;
        Row::new([
            Cell::from(operation.opcode.clone()),
            number(per_second(operation.requests)),
            number(operation.total.to_string()),
            number(per_second(operation.errors)),
            number(duration(latency.mean)),
            number(duration(latency.p50)),
            number(duration(latency.p90)),
            number(duration(latency.p99)),
            number(duration(latency.max)),
        ])
    });
    let names = &["opcode", "req/s", "requests", "err/s", "mean", "p50", "p90", "p99", "max"];
    let mut widths = vec![Constraint::Length(18)];
    widths.extend([Constraint::Length(10); 8]);
    let table = Table::new(rows, widths)
        .header(header(names, 1))
        .block(Block::bordered().title(format!("requests of {}", line.mount)));
    frame.render_widget(table, area);
}

fn in_flight(frame: &mut Frame<'_>, area: Rect, line: &Line) {
    let rows = line.in_flight.iter().map(|request| {
        Row::new([
            number(age(request)),
            Cell::from(request.opcode.clone()),
            number(request.node.to_string()),
            number(request.pid.to_string()),
            number(request.unique.to_string()),
        ])
    });
    let widths = [
        Constraint::Length(9),
        Constraint::Length(16),
        Constraint::Length(20),
        Constraint::Length(9),
        Constraint::Length(12),
    ];
    let table = Table::new(rows, widths)
        .header(Row::new([
            number("age".into()),
            Cell::from("under way"),
            number("node".into()),
            number("by pid".into()),
            number("unique".into()),
        ]))
        .block(Block::bordered().title("under way"));
    frame.render_widget(table, area);
}
