"""Passwords in commands."""

from __future__ import annotations

from slmtrail.core.secrets.rules.rule import Rule

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
        r"--[a-z\-]{0,30}(?:password|passwd|passphrase|pass|secret|token|api-?key|access-key)(?:\s{1,3}|=)[\"']?"
        r"(?!(?:id|source|type|name)=)(?P<secret>(?:[^\s\"'`<>|;&]|&(?=\S)){6,256})",
        ("--",),
        ("run --password ¦hunter2!x", "deploy --api-key=¦9f8e7d6c5b4a3928"),
        ("docker login --password-stdin", "run --token $TOKEN", "--max-tokens 409600x", "--secret source=database"),
        check="assigned",
        score=0.7,
    ),
)
