/**
 * The names of files that hold credentials, or may. Small, as every build has it; what is in such a file
 * is judged by known-files.ts.
 */
export const SUSPECT_NAME = new RegExp(
	`^(?:${[
		"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?",
		".*\\.(?:pem|key|ppk|p8|p12|pfx|jks|keystore|bks|kdbx)",
		"\\.envrc|\\.env(?:\\..*)?|.*\\.env",
		"\\.npmrc|\\.yarnrc\\.yml|\\.pypirc|[._]netrc|\\.git-credentials|auth\\.json",
		"credentials(?:\\.toml|\\.json|\\.tfrc\\.json)?|config(?:\\.json)?|\\.dockercfg",
		"(?:.*[._-])?kubeconfig(?:\\.ya?ml)?",
		"application_default_credentials\\.json|.*(?:service[-_]?account|adminsdk|client_secret).*\\.json",
		"accessTokens\\.json|msal_token_cache\\.json|azureauth\\.json|.*\\.publishsettings",
		".*\\.tfstate(?:\\..*)?|.*\\.tfvars|\\.terraformrc|terraform\\.rc",
		"\\.pgpass|pgpass\\.conf|\\.my\\.cnf|\\.s3cfg|\\.boto|rclone\\.conf|\\.vault-token|hosts\\.yml",
		"gradle\\.properties|settings\\.xml",
	].join("|")})$`,
	"i",
);
