"""Passwords in commands."""

from __future__ import annotations

from slmtrail.core.secrets.rules.rule import Rule

_VALUE = r"[\"']?(?P<secret>[^\s\"'`<>|;&,\-][^\s\"'`<>|;&,]{5,255})"
_HTPASSWD_OPTIONS = r"(?:\s{1,3}-[A-Za-z0-9]{1,9}(?:\s{1,3}[0-9]{1,2})?)"

RULES = (
    Rule(
        "command-line-password-of-tools",
        "CONNECTION_PASSWORD",
        r"(?:\bConvertTo-SecureString\s{1,3}(?:-String\s{1,3})?|\bopenssl\b[^\n]{0,200}?\s(?:-k\s{1,3}|-pass(?:in|out)?\s{1,3}pass:)|"
        r"\b(?:zip|unzip)\b[^\n]{0,60}?\s-P\s{0,3}|\b7z[ar]?\b[^\n]{0,60}?\s-p|\s-(?:src|dest)?(?:store|key)pass\s{1,3}|"
        r"\bnet\s{1,3}use\b[^\n]{0,200}?\s/user:[^\s]{1,80}\s{1,3}|\bsqlplus\s{1,3}(?:-\S{1,10}\s{1,3}){0,3}[A-Za-z][\w$]{0,40}/|"
        r"\bjdbc:oracle:\w{1,10}:[A-Za-z][\w$]{0,40}/|\baws\s{1,3}configure\s{1,3}set\s{1,3}\S{0,40}aws_secret_access_key\s{1,3}|"
        r"\bmc\s{1,3}alias\s{1,3}set\s{1,3}\S{1,40}\s{1,3}\S{1,200}\s{1,3}\S{1,128}\s{1,3})"
        r"[\"']?(?P<secret>[^\s\"'`<>|;&@/\-][^\s\"'`<>|;&@]{3,255})",
        (
            "convertto-securestring",
            "openssl",
            "zip",
            "7z",
            "storepass",
            "keypass",
            "net",
            "sqlplus",
            "jdbc:oracle",
            "aws",
            "mc",
        ),
        (
            'ConvertTo-SecureString "¦Hunter22!" -AsPlainText -Force',
            "openssl enc -aes-256-cbc -k ¦Hunter22! -in a -out b",
            "openssl rsa -in k.pem -passin pass:¦Hunter22!",
            "zip -P ¦Hunter22! a.zip a",
            "keytool -list -keystore a.jks -storepass ¦changeit99",
            "net use Z: \\\\srv\\share /user:corp\\bob ¦Hunter22!",
            "sqlplus scott/¦Tig3rTig3r@//db:1521/XE",
            "jdbc:oracle:thin:scott/¦Tig3rTig3r@//db:1521/XE",
            "aws configure set aws_secret_access_key ¦wJalrXUtnFEMI/K7MDENG/bPxRfiCYaB3dE5fG7",
            "mc alias set minio https://m.example bob ¦Hunter22Hunter22",
        ),
        (
            "openssl rsa -in k.pem -passin env:PW",
            "unzip -P $PW a.zip",
            "net use Z: \\\\srv\\share /user:bob *",
            "sqlplus / as sysdba",
        ),
        check="assigned",
        score=0.8,
        gate=r"(?i:securestring|openssl|zip|7z|storepass|keypass|\bnet\s+use|sqlplus|jdbc:oracle|aws_secret_access_key|mc\s+alias)",
    ),
    Rule(
        "piped-password",
        "CONNECTION_PASSWORD",
        r"\becho\s{1,3}(?:-n\s{1,3})?[\"']?(?:[^\s\"':|]{1,64}:)?(?P<secret>[^\s\"'|]{4,256})[\"']?\s{0,3}\|\s{0,3}(?:sudo\s{1,3}(?:-\S{1,3}\s{1,3}){0,3}-S|(?:sudo\s{1,3})?chpasswd|(?:docker|podman|helm|oras|skopeo)\b[^\n]{0,120}--password-stdin|passwd\b[^\n]{0,60}--stdin)",
        ("echo",),
        (
            "echo ¦Hunter22! | sudo -S apt update",
            'echo "bob:¦Hunter22!" | chpasswd',
            "echo ¦Hunter22 | docker login -u bob --password-stdin",
        ),
        ("echo $PW | sudo -S apt update", "echo bob:${PW} | chpasswd", "echo hello | sudo tee a"),
        check="not_placeholder",
        score=0.8,
        gate=r"echo[^\n|]*\|",
    ),
    Rule(
        "command-line-user",
        "CONNECTION_PASSWORD",
        r"\bcurl\b[^\n]{0,200}\s(?:-u|--user)[\s=]{0,2}[\"']?[^\s:\"']{1,128}:(?P<secret>[^\s\"']{2,256})",
        ("curl",),
        (
            "curl -u admin:¦hunter2 https://api.example.com",
            "curl -sS --user 'me:¦pa55word' https://x.example",
            "curl -u bob:p¦w https://x.example",
        ),
        ("curl -u admin https://api.example.com", "curl -u $USER:$PASSWORD https://x.example"),
        check="not_placeholder",
    ),
    Rule(
        "command-line-password",
        "CONNECTION_PASSWORD",
        r"\b(?:(?:docker|podman|buildah|nerdctl|skopeo|oras|az|oc|helm\s{1,3}registry)\s{1,3}login\b[^\n]{0,200}?\s-p[\s=]{1,3}|"
        r"(?:mysql(?:dump|admin|import|pump|show|check)?|mariadb(?:-dump|-admin)?)\b[^\n]{0,200}?\s-p|"
        r"sshpass\s{1,3}-p\s{0,3}|redis-cli\b[^\n]{0,200}?\s-a\s{1,3}|"
        r"mongo(?:sh|dump|restore|export|import)?\b[^\n]{0,200}?\s-p\s{1,3})[\"']?(?P<secret>[^\s\"'`<>|;&\-][^\s\"'`<>|;&]{1,255})",
        (
            *("docker", "podman", "buildah", "nerdctl", "skopeo", "oras", "az", "oc", "helm"),
            *("mysql", "mariadb", "sshpass", "redis-cli", "mongo"),
        ),
        (
            "docker login -u bob -p ¦hunter2 registry.example.com",
            "az login --service-principal -u app -p ¦Zk3~9dhAAbb --tenant t",
            "mysql -u root -p¦hunter2 shop",
            "mysqldump -uroot -p'¦hunter2' shop > dump.sql",
            "sshpass -p ¦hunter2 ssh bob@host.example",
            "redis-cli -h cache -a ¦hunter2 ping",
            "mongosh -u bob -p ¦hunter2 shop",
        ),
        (
            "docker login -u bob --password-stdin",
            "docker run -p 8080:80 web",
            "mysql -u root -p shop",
            "mysql -u root -p$MYSQL_PASSWORD shop",
            "mysql --protocol tcp -P 3306",
            "ssh -p 2222 bob@host.example",
        ),
        check="not_placeholder",
        score=0.8,
        gate=r"(?:(?:docker|podman|buildah|nerdctl|skopeo|oras|az|oc|registry)\s{1,3}login|mysql|mariadb|sshpass|redis-cli|mongo)[^\n]*\s-[ap]",
    ),
    Rule(
        "htpasswd-password",
        "CONNECTION_PASSWORD",
        r"\bhtpasswd(?:\s{1,3}[a-z][\w.:/\-]{1,60})?(?=" + _HTPASSWD_OPTIONS + r"{0,5}\s{1,3}-[A-Za-z0-9]{0,8}b)"
        r"(?:(?="
        + _HTPASSWD_OPTIONS
        + r"{0,5}\s{1,3}-[A-Za-z0-9]{0,8}n)"
        + _HTPASSWD_OPTIONS
        + r"{1,6}|"
        + _HTPASSWD_OPTIONS
        + r"{1,6}\s{1,3}[\"']?[^\s\"'\-]{0,100}(?:[./$]|passw|users|auth)[^\s\"']{0,100}[\"']?)"
        r"\s{1,3}[\"']?[^\s\"'`<>|;&\-][^\s\"'`<>|;&]{0,128}[\"']?\s{1,3}[\"']?(?P<secret>[^\s\"'`<>|;&]{1,256})",
        ("htpasswd",),
        (
            "htpasswd -b /etc/nginx/.htpasswd bob ¦hunter2",
            "htpasswd -c -b -C 12 users 'bob' 'correct¦horse' && nginx -s reload",
            "htpasswd -nbB bob ¦hunter2",
            "docker run --entrypoint htpasswd httpd:2 -Bbn bob ¦hunter2 > auth/htpasswd",
        ),
        (
            "htpasswd -c /etc/nginx/.htpasswd bob",
            "htpasswd -b .htpasswd bob $PASSWORD",
            "the htpasswd -b flag takes the password as well",
            "htpasswd -B -i .htpasswd bob < secret.txt",
        ),
        check="not_placeholder",
        score=0.8,
    ),
    Rule(
        "command-line-secret",
        "ASSIGNED_SECRET",
        r"--[a-z\-]{0,30}(?:password|passwd|passphrase|pass|pwd?|secret|secret-string|token|api-?key|(?:access|account|auth|license)-?key|bearer)(?:\s{1,3}|=)[\"']?"
        r"(?!(?:id|source|type|name)=)(?P<secret>(?:[^\s\"'`<>|;&]|&(?=\S)){6,256})",
        ("--",),
        ("run --password ¦hunter2!x", "deploy --api-key=¦9f8e7d6c5b4a3928"),
        ("docker login --password-stdin", "run --token $TOKEN", "--max-tokens 409600x", "--secret source=database"),
        check="assigned",
        score=0.7,
    ),
    Rule(
        "option-user-and-password",
        "CONNECTION_PASSWORD",
        # Whatever the command: a user and a password with a colon between them.
        r"(?<![^\s\"'])(?:-[uUaA][\"'\s]{0,2}|--[a-z\-]{0,16}(?:user|auth|cred|userpwd)(?:[\s=]|\"\s))[\"']?[A-Za-z_][\w.@\-]{0,64}:(?P<secret>[^\s\"'`<>|;&,:]{6,256})",
        ("-u", "-a", "user", "auth", "cred"),
        (
            "http -a bob:¦Tr0ub4dor&3x https://x.example",
            "etcdctl --user root:¦Tr0ub4dor&3x get x",
            "curl --proxy-user bob:¦Tr0ub4dor&3x https://x.example",
        ),
        ("docker run -u app:group2 nginx", "-u, --user user:password", "ab -A bob:$PW https://x.example"),
        check="coined",
        score=0.8,
    ),
    Rule(
        "option-user-then-password",
        "CONNECTION_PASSWORD",
        r"(?<![^\s])(?:-[uUlD]|--user(?:name)?|/u(?:ser)?|/ru)[\s=:][\"']?[\w.@\\\-=]{1,64}[\"']?\s[^\n]{0,80}?(?<=\s)(?:-{1,2}[pPw]|-{1,2}pw|/r?p|/pass(?:word)?)[\s=:]?\s{0,3}"
        + _VALUE,
        ("-u", "-l", "-d", "user", "/u", "/ru"),
        (
            "rdesktop -u bob -p ¦Tr0ub4dor host1",
            "sqlcmd -S db -U sa -P ¦Tr0ub4dor99",
            "xfreerdp /u:bob /p:¦Tr0ub4dor /v:host",
            "ldapsearch -D cn=admin -w ¦Tr0ub4dor -b dc=x",
        ),
        ("ssh -l bob -p 2222 host1", "docker run -u app -p 8080:80 web", "tool -u bob -p src/main2.py"),
        check="coined",
        score=0.8,
        gate=r"(?:-[uUlD]|--user(?:name)?|/r?u(?:ser)?)[\s=:]",
    ),
    Rule(
        "option-of-tool",
        "CONNECTION_PASSWORD",
        r"\b(?:(?:ldap[a-z]{3,8})\b[^\n]{0,200}?\s-[ws]|(?:sqlcmd|bcp|isql|tsql|osql|ipmitool|mosquitto_[a-z]{2,4}|ssh-keygen)\b[^\n]{0,200}?\s-[PN]|"
        r"snmp[a-z]{3,8}\b[^\n]{0,200}?\s-[cAX]|(?:user(?:add|mod)|twine|hydra|redis-cli|rdesktop|ncftp[a-z]{0,3}|un?rar|rar|7z[ar]?)\b[^\n]{0,200}?\s-h?[pa]|"
        r"doctl\b[^\n]{0,100}?\s-t|nuget\s{1,3}push\b[^\n]{0,200}?\s-k|gem\s{1,3}push\b[^\n]{0,100}?\s--key|curl\b[^\n]{0,200}?\s-E\s{1,3}[^\s:]{1,100}:|"
        r"(?:smbclient|rpcclient|smbmap|mount\.cifs)\b[^\n]{0,200}?\s-U\s{1,3}[^\s%]{1,64}%|lftp\b[^\n]{0,100}?\s-u\s{1,3}[^\s,]{1,64},|"
        r"(?:impdp|expdp|rman|sqlldr|sqlplus)\b[^\n/]{0,100}/|iwconfig\b[^\n]{0,60}?\skey\s{1,3}(?:s:)?|pdftk\b[^\n]{0,200}?_pw|qpdf\s{1,3}--encrypt|"
        r"(?:put-parameter|keyvault\s{1,3}secret\s{1,3}set|secretsmanager|keys\s{1,3}set|secrets?\s{1,3}set)\b[^\n]{0,200}?\s(?:-b|--(?:value|body|secret-string)))[\s=]{0,3}"
        + _VALUE,
        (
            *(
                "ldap",
                "sqlcmd",
                "bcp",
                "isql",
                "tsql",
                "osql",
                "ipmitool",
                "mosquitto",
                "ssh-keygen",
                "snmp",
                "useradd",
            ),
            *(
                "usermod",
                "twine",
                "hydra",
                "redis-cli",
                "rdesktop",
                "ncftp",
                "rar",
                "7z",
                "doctl",
                "nuget",
                "gem",
                "curl",
            ),
            *("smbclient", "rpcclient", "smbmap", "mount.cifs", "lftp", "impdp", "expdp", "rman", "sqlldr", "sqlplus"),
            *("iwconfig", "pdftk", "qpdf", "put-parameter", "keyvault", "secret", "keys"),
        ),
        (
            "sqlcmd -P ¦Tr0ub4dor&3x -Q x",
            "ssh-keygen -t ed25519 -N '¦Tr0ub4dor' -f key2",
            "smbclient //srv/share -U bob%¦Tr0ub4dor",
            "aws ssm put-parameter --name /db/pw --type SecureString --value ¦Tr0ub4dor",
            "gh secret set TOKEN --body ¦9f8e7d6c5b4a3928",
        ),
        ("snmpwalk -v2c -c public host1", "ssh-keygen -t ed25519 -f key2 -N ''", "az keyvault secret set --value $PW"),
        check="coined",
        score=0.8,
    ),
    Rule(
        "verb-secret",
        "ASSIGNED_SECRET",
        # Commands, lines of protocols and of configurations that take a secret as a bare word.
        r"(?:\b(?:cargo|vault|wandb|huggingface-cli|snyk|ngrok|rclone|redis-cli|nuget|doctl|gh|poetry|npm)\s[^\n]{0,60}?"
        r"(?:login|auth|(?:add-)?authtoken|unseal|obscure|setapikey|AUTH|_authToken|pypi-token\.\S{1,40}|http-basic\.\S{1,40}\s{1,3}\S{1,64}|\spass)|"
        r"(?<![^\s>:])(?:AUTH(?:\s{1,3}PLAIN|\s{1,3}LOGIN)?|PASS|IDENTIFY|LOGIN|REGISTER)|\b(?:requirepass|masterauth|auth-user-pass|wpa-psk|rootpw(?:\s--plaintext)?|"
        r"(?:enable|username\s\S{1,64}(?:\sprivilege\s[0-9]{1,2})?)\s(?:secret|password)(?:\s[0-9])?|snmp-server\scommunity|neighbor\s\S{1,64}\spassword|"
        r"(?:tacacs|radius)-server\s[^\n]{0,60}?key|docker\ssecret\screate\s\S{1,40}|net\suser\s\S{1,64}|passwd\s\S{1,64}|root\spassword|wpa_passphrase\s\S{1,64}|openssl\spasswd\s-\w|mkpasswd(?:\s-m)?(?:\s[a-z][\w\-]{1,12})?|"
        r"psexec\s[^\n]{0,100}?-p|user\s\S{1,64}\son))\s{1,3}(?:(?:(?:[A-Za-z][\w.@\-]{0,40}|\"[^\"\n]{1,64}\")\s{1,3}){0,1})[>\"']{0,2}(?P<secret>(?=[^\s]{0,64}[0-9])[^\s\"'`<>|;,(){}\[\]\-/]{1}[^\s\"'`<>|;,(){}\[\]]{5,255})",
        (
            *(
                "cargo",
                "vault",
                "wandb",
                "huggingface",
                "snyk",
                "ngrok",
                "rclone",
                "redis-cli",
                "nuget",
                "doctl",
                "gh",
                "poetry",
            ),
            *(
                "npm",
                "auth",
                "pass",
                "identify",
                "login",
                "register",
                "rootpw",
                "secret",
                "wpa-psk",
                "snmp-server",
                "neighbor",
            ),
            *("-server", "net user", "psexec", "user"),
        ),
        (
            "vault login ¦9f8e7d6c5b4a3928",
            "redis-cli AUTH ¦Tr0ub4dor&3x",
            "USER bob\r\nPASS ¦Tr0ub4dor&3x\r\n",
            "requirepass ¦Tr0ub4dor&3x",
            "username bob privilege 15 secret 0 ¦Tr0ub4dor&3x",
            "/msg NickServ IDENTIFY ¦Tr0ub4dor&3x",
            "net user bob ¦Tr0ub4dor&3x /add",
        ),
        (
            "PASS src/app.test.ts (5.2 s)",
            "AUTH required",
            "LOGIN page v2",
            "vault login -method=userpass",
            "IDENTIFY 3 risks",
            "npm auth --help2",
        ),
        check="coined",
        score=0.7,
    ),
    Rule(
        "here-string-secret",
        "ASSIGNED_SECRET",
        r"(?:\b(?:passwd|chpasswd|kinit|login|sudo|auth|read|su|gpg|openssl|docker)\b[^\n]{0,80}<<<\s{0,3}[\"']?(?:[\w.\-]{1,64}:)?|"
        r"\bprintf\s{1,3}[\"']%s(?:\\n)?[\"']\s{1,3}[\"']?(?=[^\n|]{1,256}\|)|\bread\s[^\n]{0,40}<<-?[\"']?[A-Z]{1,10}[\"']?\n|\bsend(?:line)?\s{1,3}(?:--\s)?[\"']|--data-file=<\(\s?echo\s{1,3})"
        r"[\"']?(?P<secret>[^\s\"'`<>|;&(){}\\$]{5,256})",
        ("<<<", "printf", "read", "send", "--data-file"),
        (
            "kinit bob <<< ¦Tr0ub4dor",
            'chpasswd <<< "bob:¦Tr0ub4dor"',
            "printf '%s' '¦Tr0ub4dor' | docker login --password-stdin",
            'expect "assword:" { send "¦Tr0ub4dor\\r" }',
        ),
        ("read LINE <<< $PW1", "printf '%s' hello2 | wc", "send 'yes1'"),
        check="coined",
        score=0.7,
    ),
    Rule(
        "literal-of-a-secret",
        "ASSIGNED_SECRET",
        r"\b(?:secrets?\s{1,3}(?:set|put|create|add)|create\s{1,3}secret|kv\s{1,3}put|config:set|consul\s{1,3}kv)\b[^\n]{0,200}?[\w.\-]=[\"']?(?P<secret>[^\s\"'`<>|;&=]{6,256})",
        ("secret", "kv", "config:set"),
        (
            "kubectl create secret generic db --from-literal=conn=¦Tr0ub4dor&3x",
            "flyctl secrets set STRIPE=¦9f8e7d6c5b4a3928",
            "vault kv put secret/db value=¦Tr0ub4dor",
        ),
        ("kubectl create secret generic db --from-file=./creds1.txt", "vault kv put secret/db value=$VALUE1"),
        check="coined",
        score=0.7,
    ),
)
