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

/** They say nothing of a value. */
const SILENT = ["$schema", "$id", "title", "description"];

/**
 * Where a value is at odds with its schema, "PATH is ..." each. Stricter than JSON Schema: a property
 * that is not described is found, too.
 */
export function findsAtOdds(schema: JsonSchema, value: unknown): string[] {
	return [...findings({ schema, value, path: [], root: schema })];
}

/** A value within the document, and what is said of it. */
interface Place {
	readonly schema: JsonSchema;
	readonly value: unknown;
	readonly path: readonly string[];
	readonly root: JsonSchema;
}

type Check<Wanted> = (wanted: Wanted, place: Place) => Iterable<string>;

/** What each keyword asks for, in the order of the findings. */
const CHECKS: { readonly [Keyword in keyof JsonSchema]-?: Check<Required<JsonSchema>[Keyword]> } = {
	$defs: () => [],
	$ref: (name, place) => {
		const schema = place.root.$defs?.[name.replace("#/$defs/", "")];
		if (schema === undefined) throw new Error(`the schema has no ${name}`);
		return findings({ ...place, schema });
	},
	const: (only, { value, path }) => (value === only ? [] : [`${shown(path)} is not ${only}`]),
	enum: (all, { value, path }) =>
		all.includes(value) ? [] : [`${shown(path)} is none of ${all.join(", ")}`],
	type: (types, { value, path }) =>
		[types].flat().some((type) => isOf(type, value))
			? []
			: [`${shown(path)} is not of the type ${types}`],
	oneOf: (forms, place) => {
		const fitting = forms.filter((schema) => findings({ ...place, schema }).next().done);
		if (fitting.length === 1) return [];
		return [`${shown(place.path)} fits ${fitting.length} of the forms that it may have`];
	},
	minimum: (least, place) => inRange(place, (value) => value >= least),
	maximum: (most, place) => inRange(place, (value) => value <= most),
	exclusiveMinimum: (bound, place) => inRange(place, (value) => value > bound),
	maxItems: (most, { value, path }) =>
		Array.isArray(value) && value.length > most ? [`${shown(path)} has too many items`] : [],
	items: (schema, { value, path, root }) =>
		Array.isArray(value)
			? value.flatMap((item, index) => [
					...findings({ schema, value: item, path: [...path, String(index)], root }),
				])
			: [],
	required: (names, { value, path }) =>
		isObject(value)
			? names
					.filter((name) => !(name in value))
					.map((name) => `${shown([...path, name])} is missing`)
			: [],
	properties: (described, { value, path, root }) =>
		Object.entries(isObject(value) ? value : {}).flatMap(([name, property]) => {
			const schema = described[name];
			const below = [...path, name];
			if (schema === undefined) return [`${shown(below)} is not described`];
			return [...findings({ schema, value: property, path: below, root })];
		}),
};

function* findings(place: Place): Generator<string, void> {
	const { schema } = place;
	const unknown = Object.keys(schema).find((name) => !(name in CHECKS) && !SILENT.includes(name));
	if (unknown !== undefined) throw new Error(`the schema has ${unknown}, which is not known here`);
	for (const [keyword, check] of Object.entries(CHECKS)) {
		const wanted = schema[keyword as keyof JsonSchema];
		if (wanted === undefined) continue;
		const found = [...(check as Check<unknown>)(wanted, place)];
		yield* found;
		// The rest is about values of that type.
		if (keyword === "type" && found.length > 0) return;
	}
}

function shown(path: readonly string[]): string {
	return path.join(".") || "the document";
}

function inRange({ value, path }: Place, isIn: (value: number) => boolean): readonly string[] {
	return typeof value !== "number" || isIn(value) ? [] : [`${shown(path)} is out of range`];
}

function isObject(value: unknown): value is object {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOf(type: string, value: unknown): boolean {
	switch (type) {
		case "null":
			return value === null;
		case "array":
			return Array.isArray(value);
		case "object":
			return isObject(value);
		case "integer":
			return Number.isInteger(value);
		default:
			return typeof value === type;
	}
}
