import { parseBoolean } from "../../build/plan/go-values.js";
import type { SecretOption, SshOption } from "../../build/plan/options.js";
import { UsageError } from "../../errors.js";
import { csvFields } from "./csv-fields.js";

/** Readers for what steps of the Dockerfile may mount, in the forms that docker buildx takes. */

const SECRET_HINT =
	"write it as --secret id=NAME, --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE";

const SECRET_KEYS: Readonly<Record<string, "id" | "src" | "env" | "type">> = {
	id: "id",
	src: "src",
	source: "src",
	env: "env",
	type: "type",
};

/** "id=NAME[,src=FILE|,source=FILE|,env=VARIABLE][,type=file|env]"; with type=env, src is a variable. */
export function parseSecret(text: string): SecretOption {
	// Only names of fields are shown: who confuses the flag may have written the secret itself.
	const refuse = (reason: string) => new UsageError(`--secret ${reason}`, { hint: SECRET_HINT });
	const fields = csvFields(text);
	if (fields === undefined) throw refuse("has an unclosed or misplaced quote");
	const values: { id?: string; src?: string; env?: string; type?: string } = {};
	for (const field of fields) {
		const equals = field.indexOf("=");
		if (equals === -1) throw refuse("has a field without a value");
		const name = field.slice(0, equals).toLowerCase();
		const key = Object.hasOwn(SECRET_KEYS, name) ? SECRET_KEYS[name] : undefined;
		if (key === undefined) throw refuse(`does not support the field ${name}`);
		const value = field.slice(equals + 1);
		if (value === "") throw refuse(`has an empty ${name}`);
		values[key] = value;
	}
	const { id, src, env, type } = values;
	if (id === undefined) throw refuse("has no id");
	if (type !== undefined && type !== "file" && type !== "env") {
		throw refuse(`${id}: the type must be file or env`);
	}
	if (type === "env" && env === undefined) return src === undefined ? { id } : { id, env: src };
	return { id, ...(src === undefined ? {} : { src }), ...(env === undefined ? {} : { env }) };
}

/** "ID", "ID=SOCKET[,raw=true]" or "ID=KEY[,KEY…]". */
export function parseSsh(text: string): SshOption {
	const equals = text.indexOf("=");
	if (equals === -1) return { id: text };
	const id = text.slice(0, equals);
	const paths: string[] = [];
	let raw = false;
	for (const field of text.slice(equals + 1).split(",")) {
		const value = /^raw=(.*)$/.exec(field)?.[1];
		if (value === undefined) paths.push(field);
		else raw = readBoolean(value, text);
	}
	if (id === "" || paths.includes("")) {
		throw new UsageError(`--ssh "${text}" has no ${id === "" ? "id" : "socket or key"}`, {
			hint: "write it as --ssh default, --ssh ID=SOCKET or --ssh ID=KEY,KEY",
		});
	}
	return { id, paths, ...(raw ? { raw } : {}) };
}

function readBoolean(value: string, text: string): boolean {
	const isOn = parseBoolean(value);
	if (isOn !== undefined) return isOn;
	throw new UsageError(`--ssh "${text}": raw must be true or false`);
}
