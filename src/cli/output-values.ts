import type { OutputOption } from "../build/options.js";
import { UsageError } from "../errors.js";
import { csvFields } from "./csv-fields.js";

/**
 * The value of --output, as docker buildx reads it (util/buildflags/export.go): a directory, "-" for a
 * tar on the standard output, or `type=…,dest=…,…`. Unlike there, a name in .tar alone is a tar, too.
 *
 * @throws UsageError
 */
export function parseOutput(text: string): OutputOption {
	const fields = csvFields(text);
	if (fields === undefined) {
		throw new UsageError(`--output ${text}: a quote is missing or in the wrong place`, {
			hint: `put a whole part in quotes: --output 'type=image,"name=a,b"'`,
		});
	}
	if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
		return { type: text === "-" || text.endsWith(".tar") ? "tar" : "local", dest: text };
	}
	const { type, dest, ...attrs } = Object.fromEntries(fields.map((field) => pair(field, text)));
	if (type === undefined || type === "") {
		throw new UsageError(`--output ${text} has no type`, {
			hint: "write it as type=local,dest=DIR or type=tar,dest=FILE, or name a directory alone",
		});
	}
	return { type, attrs, ...(dest === undefined ? {} : { dest }) };
}

function pair(field: string, text: string): [string, string] {
	const equals = field.indexOf("=");
	if (equals < 0) {
		throw new UsageError(`--output ${text}: "${field}" has no value`, {
			hint: "write it as NAME=VALUE, such as dest=out",
		});
	}
	return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
}
