const SAMPLE_FOLDER =
	/(?:^|\/)(?:tests?|__tests__|test[-_]?data|testing|fixtures?|__fixtures__|specs?|e2e|examples?|samples?|mocks?|__mocks__|stubs?|docs?|node_modules|bower_components|vendor|third[-_]party|site-packages|dist-packages|__snapshots__)\//i;

const TEST_FILE = /(?:[._-](?:test|spec|tests|example|sample)\.[a-z]+|_test\.go)$/i;

/**
 * Whether a path is where keys are there to be seen: in tests, examples and documentation, and in packages that
 * everybody can have. Real ones in such a place go unnoticed, for the sake of all that are not.
 */
export function isSample(path: string): boolean {
	return SAMPLE_FOLDER.test(path) || TEST_FILE.test(path);
}
