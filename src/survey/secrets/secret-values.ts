/** Stands in for a value: a variable, an expression of a template, or what is encrypted. */
const REFERENCE = /^(?:\$|%\w+%$|\{\{|<.*>$|ENC\[|!vault|op:\/\/|vault:|arn:|file:)/;

const PLACEHOLDER =
	/^(?:(.)\1*|change.?me.*|replace.?(?:me|this).*|your[-_ ].*|insert.*|to.?do.*|none|null|nil|undefined|true|false|yes|no|.*example.*|dummy.*|placeholder.*|test.*|fake.*|sample.*|secret.*key|secret|passw(?:or)?d|pass|token|api.?key|key|admin|root|user|postgres|mysql|mariadb|redis|guest|foo|bar|foobar|default|local|localhost|dev|development|some[-_ ].*|\d{1,6}|1234567890?)$/i;

/** Whether this may be a credential, and is not only in the place of one. */
export function isSecretValue(text: string): boolean {
	const value = text.trim().replace(/^(["'])(.*)\1$/, "$2");
	return value.length >= 4 && !REFERENCE.test(value) && !PLACEHOLDER.test(value);
}

const SECRET_KEY =
	/secret|token|passw(?:or)?d|passphrase|(?:^|[._-])pwd|api[._-]?key|access[._-]?key|private[._-]?key|credential|(?:^|[._-])(?:auth|signing[._-]?key|encryption[._-]?key|master[._-]?key)$/i;

/** About a credential, but none; or meant to be seen by everybody, as what is built into a page. */
const HARMLESS_KEY =
	/^(?:NEXT_PUBLIC|VITE|REACT_APP|PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|GATSBY|STORYBOOK)_|public|[._-]?(?:file|path|dir|name|id|ttl|length|size|type|alg\w*|enabled|required|url|uri|host|issuer|policy|header|min|max|expir\w*|seconds|minutes|hours|days|count|limit|version|store|provider)$/i;

/** Whether a variable or setting of that name holds a credential. */
export function isSecretKey(key: string): boolean {
	return SECRET_KEY.test(key) && !HARMLESS_KEY.test(key);
}

/** Whether a text holds a URL with a password. */
export function hasUrlPassword(text: string): boolean {
	const password = /:\/\/[^\s:@/]*:([^\s@/]+)@/.exec(text)?.[1];
	return password !== undefined && isSecretValue(password);
}
