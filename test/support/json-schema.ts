/** What of JSON Schema 2020-12 the schemas in docs/ use. */
export interface JsonSchema {
	readonly $ref?: string;
	readonly $defs?: Readonly<Record<string, JsonSchema>>;
	readonly const?: unknown;
	readonly enum?: readonly unknown[];
	readonly type?: string | readonly string[];
	readonly oneOf?: readonly JsonSchema[];
	readonly required?: readonly string[];
	readonly properties?: Readonly<Record<string, JsonSchema>>;
	readonly items?: JsonSchema;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly exclusiveMinimum?: number;
	readonly maxItems?: number;
}

const KNOWN = new Set([
	...["$ref", "$defs", "const", "enum", "type", "oneOf", "required", "properties", "items"],
	...["minimum", "maximum", "exclusiveMinimum", "maxItems"],
	...["$schema", "$id", "title", "description"],
]);

/**
 * Where a value is at odds with its schema, "PATH is ..." each. Stricter than JSON Schema: a property
 * that is not described is found, too.
 */
export function findsAtOdds(schema: JsonSchema, value: unknown): string[] {
	return [...findings(schema, value, [], schema)];
}

function* findings(
	schema: JsonSchema,
	value: unknown,
	path: readonly string[],
	root: JsonSchema,
): Generator<string, void> {
	const at = path.join(".") || "the document";
	for (const keyword of Object.keys(schema)) {
		if (!KNOWN.has(keyword)) throw new Error(`the schema has ${keyword}, which is not known here`);
	}
	if (schema.$ref !== undefined) {
		const definition = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
		if (definition === undefined) throw new Error(`the schema has no ${schema.$ref}`);
		yield* findings(definition, value, path, root);
	}
	if ("const" in schema && value !== schema.const) yield `${at} is not ${schema.const}`;
	if (schema.enum?.includes(value) === false) yield `${at} is none of ${schema.enum.join(", ")}`;
	if (schema.type !== undefined && ![schema.type].flat().some((type) => isOf(type, value))) {
		yield `${at} is not of the type ${schema.type}`;
		return;
	}
	if (schema.oneOf !== undefined) {
		const fitting = schema.oneOf.filter((one) => findings(one, value, path, root).next().done);
		if (fitting.length !== 1) yield `${at} fits ${fitting.length} of the forms that it may have`;
	}
	if (typeof value === "number") {
		const { minimum = value, maximum = value, exclusiveMinimum = -Infinity } = schema;
		const inRange = value >= minimum && value <= maximum && value > exclusiveMinimum;
		if (!inRange) yield `${at} is out of range`;
	}
	if (Array.isArray(value)) {
		if (value.length > (schema.maxItems ?? value.length)) yield `${at} has too many items`;
		for (const [index, item] of value.entries()) {
			yield* findings(schema.items ?? {}, item, [...path, String(index)], root);
		}
	} else if (schema.properties !== undefined && typeof value === "object" && value !== null) {
		for (const name of schema.required ?? []) {
			if (!(name in value)) yield `${[...path, name].join(".")} is missing`;
		}
		for (const [name, property] of Object.entries(value)) {
			const described = schema.properties[name];
			if (described === undefined) yield `${[...path, name].join(".")} is not described`;
			else yield* findings(described, property, [...path, name], root);
		}
	}
}

function isOf(type: string, value: unknown): boolean {
	switch (type) {
		case "null":
			return value === null;
		case "array":
			return Array.isArray(value);
		case "object":
			return typeof value === "object" && value !== null && !Array.isArray(value);
		case "integer":
			return Number.isInteger(value);
		default:
			return typeof value === type;
	}
}
