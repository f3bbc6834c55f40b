#!/usr/bin/env bash
# node_exporter 1.5.0: figures of a shop are dropped, since its file words a HELP otherwise
#
# Two shops write their figures for the textfile collector, each into a file of its own. South's program
# is a version newer: the remark that explains shop_rows was worded anew. Either file alone is valid and
# shown whole. One would guess that a remark changes no figure, or that node_textfile_scrape_error,
# which is there to be alarmed by, tells of it. But shop_rows of the second file is gone, from an
# answer with code 200, scrape_error 0 and collector_success 1; a line of node_exporter's own log
# tells, and a counter that shows it from the next scrape on. An alarm on `shop_rows < 1` is silent.
# (Debian 12's package, amd64.)
set -euo pipefail
tmp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -qq prometheus-node-exporter=1.5.0-1+b6 2>/dev/null
dpkg -x prometheus-node-exporter_*.deb root
mkdir shops

says() { # SHOP HELP ROWS
    cat >"shops/$1.prom" <<END
# HELP shop_rows $2
# TYPE shop_rows gauge
shop_rows{shop="$1"} $3
# HELP shop_up 1 if the last load succeeded
# TYPE shop_up gauge
shop_up{shop="$1"} 1
END
}
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
root/usr/bin/prometheus-node-exporter --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory=shops --web.listen-address="127.0.0.1:$port" 2>log &
scrape() {
    echo "$1:"
    curl -sS -w 'code %{http_code}\n' --retry 60 --retry-delay 1 --retry-connrefused \
        "http://127.0.0.1:$port/metrics" |
        grep -E '^(shop_|code|node_textfile_scrape_error|node_scrape_collector_success)'
}
{
    says south 'Rows of the last window' 0
    scrape 'south alone'
    says north 'Rows of the last load' 10
    scrape 'north beside it'
    says south 'Rows of the last load' 0
    scrape 'in the same words'
} | tee seen
diff - seen <<'END'
south alone:
node_scrape_collector_success{collector="textfile"} 1
node_textfile_scrape_error 0
shop_rows{shop="south"} 0
shop_up{shop="south"} 1
code 200
north beside it:
node_scrape_collector_success{collector="textfile"} 1
node_textfile_scrape_error 0
shop_rows{shop="north"} 10
shop_up{shop="north"} 1
shop_up{shop="south"} 1
code 200
in the same words:
node_scrape_collector_success{collector="textfile"} 1
node_textfile_scrape_error 0
shop_rows{shop="north"} 10
shop_rows{shop="south"} 0
shop_up{shop="north"} 1
shop_up{shop="south"} 1
code 200
END
