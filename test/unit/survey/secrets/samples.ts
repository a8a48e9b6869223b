/**
 * Files with credentials that are none: made up when they are needed, so that no scanner of a hosting
 * site takes this repository for a leak.
 */

/** What must never be shown is in all of them. */
export const VALUE = ["q7Zr4", "Vx0Lm", "T2b9K"].join("w");

const BASE64 = Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 37 + 11) % 251)).toString(
	"base64",
);

/** With a marker that says whose key it is, such as "RSA ". */
export function pem(kind: string, label = "PRIVATE KEY", body = `MII${VALUE}${BASE64}`): string {
	const dashes = "-".repeat(5);
	const lines = body.match(/.{1,64}/g)?.join("\n");
	return `${dashes}BEGIN ${kind}${label}${dashes}\n${lines}\n${dashes}END ${kind}${label}${dashes}\n`;
}

/** By path: what they hold, and what is told of them. */
export const CREDENTIALS: Readonly<Record<string, readonly [string | Buffer, string, number?]>> = {
	"keys/id_rsa": [pem("RSA "), "an RSA private key", 1],
	".ssh/id_ed25519": [pem("OPENSSH "), "an OpenSSH private key", 1],
	"tls/server.pem": [`${pem("", "CERTIFICATE")}${pem("")}`, "a private key", 10],
	"tls/server.key": [pem("EC "), "an EC private key", 1],
	"tls/locked.key": [pem("ENCRYPTED "), "an encrypted private key", 1],
	"putty.ppk": [`PuTTY-User-Key-File-3: ssh-rsa\n${VALUE}`, "a private key of PuTTY"],
	"app.p12": [Buffer.from([0x30, 0x82, 1, 1]), "a PKCS #12 key store"],
	"app.jks": [Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0]), "a Java key store"],
	"passwords.kdbx": [Buffer.from([0x03, 0xd9, 0xa2, 0x9a, 0]), "a KeePass database"],
	".env": [`# settings\nPORT=3000\n\nAPI_TOKEN=${VALUE}\n`, "a credential", 4],
	".env.production": [`export DB_PASSWORD="${VALUE}" # real\r\n`, "a credential", 1],
	"config/prod.env": [`DATABASE_URL=postgres://app:${VALUE}@db/app\n`, "a credential", 1],
	".envrc": [`export AWS_SECRET_ACCESS_KEY=${VALUE}\n`, "a credential", 1],
	".npmrc": [`registry=https://x/\n//x/:_authToken=${VALUE}\n`, "an npm login", 2],
	".yarnrc.yml": [`npmAuthToken: "${VALUE}"\n`, "an npm login", 1],
	".pypirc": [`[pypi]\nusername = me\npassword = ${VALUE}\n`, "a login of PyPI", 3],
	".netrc": [`machine x login me password ${VALUE}\n`, "a password", 1],
	".git-credentials": [`https://me:${VALUE}@github.com\n`, "a git login", 1],
	".git/config": [
		`[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic ${VALUE}\n`,
		"a git login",
		2,
	],
	".docker/config.json": [`{\n"auths": {"x": {\n"auth": "${VALUE}"}}}`, "a login", 3],
	"auth.json": [`{"github-oauth": {"github.com": "${VALUE}"}}`, "a login", 1],
	".cargo/credentials.toml": [`[registry]\ntoken = "${VALUE}"\n`, "a cargo token", 2],
	".gem/credentials": [`---\n:rubygems_api_key: ${VALUE}\n`, "a RubyGems key", 2],
	".aws/credentials": [
		`[default]\naws_access_key_id = x\naws_secret_access_key = ${VALUE}\n`,
		"an AWS key",
		3,
	],
	".kube/config": [`users:\n- user:\n    client-key-data: ${VALUE}\n`, "a login of Kubernetes", 3],
	"prod.kubeconfig": [`users:\n- token: ${VALUE}\n`, "a login of Kubernetes", 2],
	".terraformrc": [`credentials "x" {\n  token = "${VALUE}"\n}\n`, "a Terraform token", 2],
	"gcp-credentials.json": [`{"private_key": "${VALUE}"}`, "a key of Google Cloud", 1],
	"my-service-account.json": [`{\n"private_key": "${VALUE}"\n}`, "a key of Google Cloud", 2],
	".config/gcloud/application_default_credentials.json": [
		`{"refresh_token": "${VALUE}"}`,
		"a key of Google Cloud",
		1,
	],
	".azure/msal_token_cache.json": [`{"secret": "${VALUE}"}`, "a login of Azure", 1],
	"x.publishsettings": [`<publishProfile userPWD="${VALUE}" />`, "a login of Azure", 1],
	"infra/terraform.tfstate": [`{"resources": [{"x": "${VALUE}"}]}`, "a Terraform state"],
	"infra/prod.auto.tfvars": [`db_password = "${VALUE}"\n`, "a credential", 1],
	".pgpass": [`db:5432:*:app:${VALUE}\n`, "a password", 1],
	".my.cnf": [`[client]\npassword=${VALUE}\n`, "a password", 2],
	".s3cfg": [`secret_key = ${VALUE}\n`, "a key of an object store", 1],
	".vault-token": [`${VALUE}\n`, "a Vault token", 1],
	".config/gh/hosts.yml": [`github.com:\n    oauth_token: ${VALUE}\n`, "a GitHub token", 2],
	"gradle.properties": [`signing.password=${VALUE}\n`, "a credential", 1],
	"maven/settings.xml": [`<server>\n<password>${VALUE}</password></server>`, "a password", 2],
	"config/master.key": ["0123456789abcdef0123456789abcdef", "a key of Rails' credentials", 1],
};

/** A variable in the place of a value. */
const VARIABLE = ["$", "{SECRET}"].join("");

/** What looks alike and is none. */
export const HARMLESS: Readonly<Record<string, string | Buffer>> = {
	"id_rsa.pub": `ssh-rsa ${BASE64}`,
	"tls/ca.pem": pem("", "CERTIFICATE"),
	"tls/public.pem": pem("", "PUBLIC KEY"),
	"tls/drawn.pem": `${"-".repeat(5)}BEGIN PRIVATE KEY${"-".repeat(5)}\n...\n`,
	"slides.key": Buffer.from("PK\u0003\u0004"),
	"truststore.jks": Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0]),
	"debug.keystore": Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0]),
	".env": "PORT=3000\nDEBUG=true\nAPP_NAME=thing\nTOKEN_TTL=3600\nKEY=\nSECRET=\n",
	"a/.env": `PASSWORD=changeme\nAPI_KEY=your-api-key\nTOKEN=<token>\nSECRET=${VARIABLE}\nAUTH=xxxxxxxx\n`,
	"b/.env": "NEXT_PUBLIC_API_KEY=abcdefghij\nVITE_TOKEN=abcdefghij\nSECRET_FILE=/run/secrets/x\n",
	"c/.env": `# PASSWORD=${VALUE}\nDB=postgres://postgres:postgres@localhost/x\n`,
	"d/.env": `SECRET=ENC[AES256_GCM,data:${VALUE}]\nTOKEN=op://vault/item/field\n`,
	".env.example": `API_TOKEN=${VALUE}\n`,
	".env.sample": `API_TOKEN=${VALUE}\n`,
	".env.template": `API_TOKEN=${VALUE}\n`,
	".env.vault": `DOTENV_VAULT_KEY=${VALUE}\n`,
	"env.example.env.md": `API_TOKEN=${VALUE}\n`,
	"test/fixtures/id_rsa": pem("RSA "),
	"testdata/server.key": pem(""),
	"examples/.env": `API_TOKEN=${VALUE}\n`,
	"node_modules/x/test/key.pem": pem(""),
	".npmrc": `registry=https://x/\n//x/:_authToken=${VARIABLE}\n# //x/:_authToken=abcdefgh\n`,
	".pypirc": "[pypi]\nusername = __token__\n",
	".netrc": "machine x login me\n",
	".git/config": "[remote]\n\turl = https://github.com/me/app.git\n",
	".docker/config.json": '{"auths": {"x": {}}, "credsStore": "desktop"}',
	"config.json": `{"auth": "${VALUE}"}`,
	config: `token: ${VALUE}`,
	".kube/config": "users:\n- user:\n    exec:\n      command: aws\n",
	"terraform.tfstate": '{"version": 4, "resources": []}',
	"prod.tfvars": 'region = "eu"\ninstance_type = "t3.large"\n',
	"gradle.properties": "org.gradle.jvmargs=-Xmx2g\n",
	"settings.xml": `<settings><password>${VARIABLE}</password></settings>`,
	"my-service-account.json": '{"type": "service_account", "project_id": "x"}',
};
