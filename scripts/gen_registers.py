#!/usr/bin/env python3
"""Generates everything that knows the register map from rtl/shell/register_map.json.

    scripts/gen_registers.py           write the generated files
    scripts/gen_registers.py --check   exit 1 and name the file when one of them is out of date
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = "rtl/shell/register_map.json"
NOTE = f"Generated from {SOURCE} by scripts/gen_registers.py. Do not edit."


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def number(text):
    return int(text, 0) if isinstance(text, str) else text


def fields_of(core, instruction):
    same = instruction.get("same_fields_as")
    if same is None:
        return instruction["fields"]
    return next(i["fields"] for i in core["instructions"] if i["name"] == same)


def used_mask(core, instruction):
    mask = 0xF
    for field in fields_of(core, instruction):
        bits = ((1 << field["width"]) - 1) << field["lsb"]
        if mask & bits:
            raise SystemExit(f"{SOURCE}: {instruction['name']}.{field['name']} overlaps another field")
        mask |= bits
    return mask


def shell_package(m):
    out = [f"// {NOTE}", "// Register offsets, identity and error codes of the shell.", "package bittern_pkg;"]
    out.append(f"  localparam logic [31:0] Magic = 32'h{number(m['magic']):08x};")
    out.append(f"  localparam logic [31:0] MapVersion = 32'd{m['map_version']};")
    for r in m["registers"]:
        out.append(f"  localparam logic [11:0] Reg{camel(r['name'])} = 12'h{number(r['offset']):03x};")
    out.append(f"  localparam logic [11:0] RegParameterBase = 12'h{number(m['parameter_base']):03x};")
    out.append(f"  localparam int unsigned NumParameters = {m['num_parameters']};")
    out.append(f"  localparam logic [11:0] RegCounterBase = 12'h{number(m['counter_base']):03x};")
    for e in m["error_codes"]:
        out.append(f"  localparam logic [3:0] Error{camel(e['name'])} = 4'd{e['value']};")
    for c in m["cores"]:
        out.append(f"  localparam logic [31:0] Core{camel(c['name'])} = 32'd{c['id']};")
    out.append("endpackage")
    return "\n".join(out) + "\n"


def core_package(core):
    out = [f"// {NOTE}", f"// Instruction fields and events of the {core['name']} core.",
           f"package {core['name']}_isa_pkg;"]
    for i in core["instructions"]:
        name = camel(i["name"])
        out.append(f"  localparam logic [3:0] Op{name} = 4'd{i['opcode']};")
        out.append(f"  localparam logic [127:0] Reserved{name} = 128'h{(~used_mask(core, i)) & ((1 << 128) - 1):032x};")
    for i in core["instructions"]:
        if "same_fields_as" in i:
            continue
        prefix = {"fetch_lhs": "Fetch"}.get(i["name"], camel(i["name"]))
        for f in fields_of(core, i):
            out.append(f"  localparam int unsigned {prefix}{camel(f['name'])}Lsb = {f['lsb']};")
            out.append(f"  localparam int unsigned {prefix}{camel(f['name'])}Width = {f['width']};")
    for n, e in enumerate(core["events"]):
        out.append(f"  localparam int unsigned Event{camel(e['name'])} = {n};")
    out.append(f"  localparam int unsigned NumFixedEvents = {len(core['events'])};")
    out.append("endpackage")
    return "\n".join(out) + "\n"


def registers_header(m):
    out = [f"// {NOTE}", "// clang-format off", "#pragma once", "", "#include <array>", "#include <cstddef>", "#include <cstdint>", "#include <string_view>", "",
           "namespace bittern::registers {", ""]
    out.append(f"inline constexpr std::uint32_t kMagicValue = 0x{number(m['magic']):08x};")
    out.append(f"inline constexpr std::uint32_t kMapVersionValue = {m['map_version']};")
    out.append("")
    for r in m["registers"]:
        out.append(f"/// {r['description']}")
        out.append(f"inline constexpr std::uint32_t k{camel(r['name'])} = 0x{number(r['offset']):03x};")
    out.append(f"/// First of {m['num_parameters']} words with the core's parameters.")
    out.append(f"inline constexpr std::uint32_t kParameterBase = 0x{number(m['parameter_base']):03x};")
    out.append(f"inline constexpr std::uint32_t kNumParameters = {m['num_parameters']};")
    out.append(f"/// {m['counter_description']}")
    out.append(f"inline constexpr std::uint32_t kCounterBase = 0x{number(m['counter_base']):03x};")
    out.append("inline constexpr std::uint32_t kCtrlStart = 1;")
    out.append("inline constexpr std::uint32_t kCtrlClear = 2;")
    out.append("inline constexpr std::uint32_t kStatusBusy = 1;")
    out.append("inline constexpr std::uint32_t kStatusDone = 2;")
    out.append("inline constexpr std::uint32_t kStatusError = 4;")
    out.append("")
    out.append("/// Value of register error_code.")
    out.append("enum class ErrorCode : std::uint32_t {")
    for e in m["error_codes"]:
        out.append(f"  k{camel(e['name'])} = {e['value']},  // {e['description']}")
    out.append("};")
    out.append("/// Name of an error code as in the documentation, \"unknown\" for a value that has none.")
    out.append("constexpr std::string_view error_name(ErrorCode code) {")
    out.append("  switch (code) {")
    for e in m["error_codes"]:
        out.append(f"    case ErrorCode::k{camel(e['name'])}:")
        out.append(f"      return \"{e['name']}\";")
    out += ["  }", "  return \"unknown\";", "}", ""]
    out.append("/// Value of register core_id.")
    out.append("enum class CoreId : std::uint32_t {")
    for c in m["cores"]:
        out.append(f"  k{camel(c['name'])} = {c['id']},")
    out.append("};")
    for c in m["cores"]:
        if not c["events"]:
            continue
        out.append("")
        out.append(f"/// Events of the {c['name']} core in counter order (counter index = 1 + position);")
        out.append("/// per-port events follow, all ports of one kind together.")
        out.append(f"inline constexpr std::array<std::string_view, {len(c['events'])}> k{camel(c['name'])}Events = {{")
        out += [f"    \"{e['name']}\"," for e in c["events"]]
        out.append("};")
        out.append(f"inline constexpr std::array<std::string_view, {len(c['per_port_events'])}> "
                   f"k{camel(c['name'])}PerPortEvents = {{")
        out += [f"    \"{e}\"," for e in c["per_port_events"]]
        out.append("};")
        out.append(f"inline constexpr std::array<std::string_view, {len(c['parameters'])}> "
                   f"k{camel(c['name'])}Parameters = {{")
        out += [f"    \"{e}\"," for e in c["parameters"]]
        out.append("};")
    out += ["", "/// What the register map says of one core.", "struct CoreMap {", "  std::string_view name;  ///< as in variant files",
            "  CoreId id;", "  const std::string_view* events;           ///< in counter order",
            "  std::size_t num_events;", "  const std::string_view* per_port_events;  ///< behind them, for every port",
            "  std::size_t num_per_port_events;", "  const std::string_view* parameters;       ///< in the order of the parameter words",
            "  std::size_t num_parameters;", "};", "", "/// All cores that have a register map.", "inline constexpr CoreMap kCoreMaps[] = {"]
    for c in m["cores"]:
        if c["events"]:
            k = f"k{camel(c['name'])}"
            out.append(f"  {{\"{c['name']}\", CoreId::{k}, {k}Events.data(), {k}Events.size(), {k}PerPortEvents.data(), "
                       f"{k}PerPortEvents.size(), {k}Parameters.data(), {k}Parameters.size()}},")
    out += ["};", "", "/// Map of the core of this name, nullptr when there is none.",
            "constexpr const CoreMap* core_map(std::string_view name) {", "  for (const CoreMap& map : kCoreMaps) {",
            "    if (map.name == name) return &map;", "  }", "  return nullptr;", "}"]
    out += ["", "}  // namespace bittern::registers"]
    return "\n".join(out) + "\n"


def isa_header(core):
    space = f"bittern::{core['name']}_isa"
    out = [f"// {NOTE}", "// clang-format off", "#pragma once", "", "#include <cstdint>", "",
           "#include \"host/cores/stream/instruction_word.h\"", "", f"namespace {space} {{", "",
           "using Word = InstructionWord;"]
    for i in core["instructions"]:
        fields = fields_of(core, i)
        name = camel(i["name"])
        for f in fields:
            if f["lsb"] // 64 != (f["lsb"] + f["width"] - 1) // 64:
                raise SystemExit(f"{SOURCE}: {i['name']}.{f['name']} crosses a 64-bit word")
        out += ["", f"/// Instruction {i['name'].upper()}.", f"struct {name} {{",
                f"  static constexpr std::uint64_t kOpcode = {i['opcode']};"]
        for f in fields:
            out.append(f"  std::uint64_t {f['name']} = 0;  ///< {f['description']} ({f['width']} bits)")
        out += ["", "  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.",
                "  Word encode() const {", "    Word word{kOpcode, 0};"]
        for f in fields:
            out.append(f"    set_field(word, {f['lsb']}, {f['width']}, {f['name']}, \"{core['name']} {i['name']}.{f['name']}\");")
        out += ["    return word;", "  }", "  /// Decodes the fields of `word` (its opcode is not checked).",
                f"  static {name} decode([[maybe_unused]] const Word& word) {{", f"    {name} out;"]
        for f in fields:
            out.append(f"    out.{f['name']} = get_field(word, {f['lsb']}, {f['width']});")
        out += ["    return out;", "  }", "};"]
    out += ["", f"}}  // namespace {space}"]
    return "\n".join(out) + "\n"


def document(m):
    out = ["# Registers and instructions", "", f"{NOTE}", "",
           f"AXI4-Lite, 32-bit registers. Magic `{m['magic']}`, map version {m['map_version']}.", "",
           "| offset | name | access | meaning |", "|---|---|---|---|"]
    for r in m["registers"]:
        out.append(f"| {r['offset']} | `{r['name']}` | {r['access']} | {r['description']} |")
    out.append(f"| {m['parameter_base']} | `parameter[0..{m['num_parameters'] - 1}]` | ro | Parameters of the core, see below. |")
    out.append(f"| {m['counter_base']} | `counter[0..]` | ro | {m['counter_description']} |")
    out += ["", "## Error codes", "", "| value | name | meaning |", "|---|---|---|"]
    out += [f"| {e['value']} | `{e['name']}` | {e['description']} |" for e in m["error_codes"]]
    for c in m["cores"]:
        if not c["events"]:
            continue
        out += ["", f"## Core `{c['name']}` (id {c['id']})", "", "Parameters: " +
                ", ".join(f"{n} `{p}`" for n, p in enumerate(c["parameters"])) + ".", "",
                "| counter | event | meaning |", "|---|---|---|"]
        out += [f"| {n + 1} | `{e['name']}` | {e['description']} |" for n, e in enumerate(c["events"])]
        out.append(f"| {len(c['events']) + 1}.. | " + ", ".join(f"`{e}[p]`" for e in c["per_port_events"]) +
                   " | Beats on each read port, then on each write port. |")
        for i in c["instructions"]:
            out += ["", f"### {i['name'].upper()} (opcode {i['opcode']})"]
            fields = fields_of(c, i)
            if fields:
                out += ["", "| bits | field | meaning |", "|---|---|---|"]
                out += [f"| {f['lsb'] + f['width'] - 1}:{f['lsb']} | `{f['name']}` | {f['description']} |" for f in fields]
            out += ["", "All other bits but the opcode (3:0) are reserved and must be zero."]
    return "\n".join(out) + "\n"


def main():
    m = json.loads((ROOT / SOURCE).read_text())
    files = {"rtl/shell/bittern_pkg.sv": shell_package(m), "host/protocol/registers.h": registers_header(m),
             "docs/registers.md": document(m)}
    for core in m["cores"]:
        if core["instructions"]:
            files[f"rtl/{core['name']}/{core['name']}_isa_pkg.sv"] = core_package(core)
            files[f"host/cores/{core['name']}/{core['name']}_isa.h"] = isa_header(core)
    stale = [name for name, text in files.items()
             if not (ROOT / name).exists() or (ROOT / name).read_text() != text]
    if sys.argv[1:] == ["--check"]:
        for name in stale:
            print(f"{name}: differs from {SOURCE}; run scripts/gen_registers.py")
        return 1 if stale else 0
    if sys.argv[1:]:
        print(__doc__)
        return 2
    for name in stale:
        (ROOT / name).write_text(files[name])
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
