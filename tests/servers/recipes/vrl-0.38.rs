//! vrl PROGRAM: compiles a program, then runs it on each JSON event of the input.
use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::{env, fs, process};

use vrl::compiler::runtime::Runtime;
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{TargetValue, TimeZone, compile};
use vrl::diagnostic::Formatter;
use vrl::value::{Secrets, Value};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() != 2 {
        eprintln!("usage: vrl PROGRAM < EVENTS");
        process::exit(2);
    }
    let source = fs::read_to_string(&arguments[1]).unwrap_or_else(|error| {
        eprintln!("{}: {error}", arguments[1]);
        process::exit(2);
    });
    let compiled = compile(&source, &vrl::stdlib::all()).unwrap_or_else(|diagnostics| {
        eprintln!("{}", Formatter::new(&source, diagnostics));
        process::exit(1);
    });
    if !compiled.warnings.is_empty() {
        eprintln!("{}", Formatter::new(&source, compiled.warnings));
    }
    for line in io::stdin().lock().lines() {
        let line = line.expect("the input is text");
        let event: serde_json::Value = serde_json::from_str(&line).expect("each line is JSON");
        let mut target = TargetValue {
            value: event.into(),
            metadata: Value::Object(BTreeMap::new()),
            secrets: Secrets::new(),
        };
        let mut runtime = Runtime::new(RuntimeState::default());
        if let Err(error) = runtime.resolve(&mut target, &compiled.program, &TimeZone::default()) {
            eprintln!("{error}");
            process::exit(3);
        }
        println!("{}", target.value);
    }
}
