/**
 * Fits the paths of files that hold credentials, or may. It is all that every build has of this, and is
 * tried on every path; what is in such a file is judged by known-files.ts.
 */
export const SUSPECT_PATH = new RegExp(
	`(?:^|/)(?:${[
		"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?",
		"\\.env(?:rc|\\.[^/]*)?",
		"\\.npmrc|\\.yarnrc\\.yml|\\.pypirc|[._]netrc|\\.git-credentials|auth\\.json|\\.dockercfg",
		"(?:\\.docker/config|accessTokens|msal_token_cache|azureauth)\\.json",
		"(?:\\.aws|\\.kube|\\.git)/config|credentials(?:\\.toml|\\.tfrc\\.json)?|\\.terraformrc|terraform\\.rc",
		"\\.pgpass|pgpass\\.conf|\\.my\\.cnf|\\.s3cfg|\\.boto|rclone\\.conf|\\.vault-token|gh/hosts\\.yml",
		"gradle\\.properties|settings\\.xml",
	].join("|")})$|(?:${[
		"\\.(?:pem|key|ppk|p8|p12|pfx|jks|keystore|bks|kdbx|env|tfvars|publishsettings)",
		"\\.tfstate(?:\\.[^/]*)?|kubeconfig(?:\\.ya?ml)?",
		"(?:credential|service[-_]?account|adminsdk|client_secret)[^/]*\\.json",
	].join("|")})$`,
	"i",
);
