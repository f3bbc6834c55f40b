// A shop that sells with a real Vendure: run by node, not by the tests.
//
// `node trade.mjs FOLDER postgresql://user:password@host:port/database integer|uuid` takes a
// request a line, as JSON, and answers each with a line. FOLDER has Vendure in its node_modules. All
// that happens, and every figure that is answered, goes through Vendure's own GraphQL; what left the
// house and came back stands in a book beside it.

import { createRequire } from "node:module";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const [folder, database, strategy] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const vendure = require("@vendure/core");

const KEY = { identifier: "superadmin", password: "only for this test" };
const TAX = 18;

/** A port that nobody listens at. */
function freePort() {
    return new Promise(resolve => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/** Vendure's defaults, but for what must be said. */
function configuration(port) {
    const place = new URL(database);
    return vendure.mergeConfig(vendure.defaultConfig, {
        logger: new vendure.DefaultLogger({ level: vendure.LogLevel.Error }),
        apiOptions: { hostname: "127.0.0.1", port, adminApiPath: "admin", shopApiPath: "shop" },
        authOptions: { tokenMethod: "bearer", superadminCredentials: KEY },
        dbConnectionOptions: {
            type: "postgres",
            host: place.hostname,
            port: Number(place.port),
            username: place.username,
            password: decodeURIComponent(place.password),
            database: place.pathname.slice(1),
            synchronize: true,
            // By gen_random_uuid(), which every PostgreSQL has.
            uuidExtension: "pgcrypto",
            installExtensions: false,
        },
        entityOptions: {
            entityIdStrategy:
                strategy === "uuid" ? new vendure.UuidIdStrategy() : new vendure.AutoIncrementIdStrategy(),
        },
        customFields: { ProductVariant: [{ name: "cost", type: "int", nullable: true }] },
        paymentOptions: { paymentMethodHandlers: [vendure.dummyPaymentHandler] },
        plugins: [vendure.DefaultJobQueuePlugin.init({ pollInterval: 20 })],
    });
}

/** Somebody at one of the two APIs, with a session of their own. */
class Visitor {
    constructor(url, headers = {}) {
        this.url = url;
        this.headers = { "content-type": "application/json", ...headers };
    }

    /** What a query or mutation answers; an error that it answers is one. */
    async ask(query, variables = {}) {
        const answer = await fetch(this.url, {
            method: "POST",
            headers: this.headers,
            body: JSON.stringify({ query, variables }),
        });
        const token = answer.headers.get("vendure-auth-token");
        if (token) this.headers.authorization = `Bearer ${token}`;
        const { data, errors } = await answer.json();
        if (errors) throw new Error(`${query}: ${JSON.stringify(errors)}`);
        const [said] = Object.values(data);
        if (said?.errorCode) throw new Error(`${query}: ${JSON.stringify(said)}`);
        return said;
    }
}

const operation = (code, args = {}) => ({
    code,
    arguments: Object.entries(args).map(([name, value]) => ({ name, value: String(value) })),
});
const named = name => [{ languageCode: "en", name, description: "" }];
const withPage = name => [{ ...named(name)[0], slug: name.toLowerCase().replace(/\W+/g, "-") }];
const FAILED = "... on ErrorResult { errorCode message }";

class Trade {
    constructor(port) {
        this.base = `http://127.0.0.1:${port}`;
        this.admin = new Visitor(`${this.base}/admin`);
        this.variants = {}; // by SKU
        this.places = []; // ids of locations
        this.open = []; // orders of which nothing was shipped
        this.shipped = []; // orders that were shipped whole
        // What left the house, and came back as less than 0: the day, SKU and quantity; the names.
        this.book = { moved: [], names: {}, deleted: [] };
        this.today = 0;
        this.seed = 42;
    }

    /** A number from 0 to below n, the same ones each time. */
    chance(n) {
        this.seed = (this.seed * 1103515245 + 12345) % 2147483648;
        return Math.floor((this.seed / 2147483648) * n);
    }

    async create(what, input, kind = `Create${what}Input!`) {
        const said = await this.admin.ask(
            `mutation ($input: ${kind}) { create${what}(input: $input) { ... on ${what} { id } } }`, { input });
        return said.id;
    }

    /** The shop is opened: taxes, ways to send and to pay, two locations, products. */
    async prepare(pricesIncludeTax) {
        await this.admin.ask(
            `mutation ($name: String!, $key: String!) { login(username: $name, password: $key) { __typename } }`,
            { name: KEY.identifier, key: KEY.password });
        const country = await this.create("Country", { code: "PE", enabled: true, translations: [{ languageCode: "en", name: "Peru" }] });
        const zone = await this.create("Zone", { name: "Peru", memberIds: [country] });
        const goods = await this.create("TaxCategory", { name: "Goods", isDefault: true });
        const books = await this.create("TaxCategory", { name: "Books" });
        await this.create("TaxRate", { name: "IGV", enabled: true, value: TAX, categoryId: goods, zoneId: zone });
        await this.create("TaxRate", { name: "None", enabled: true, value: 0, categoryId: books, zoneId: zone });
        const { id } = await this.admin.ask("{ activeChannel { id } }");
        await this.admin.ask(`mutation ($input: UpdateChannelInput!) { updateChannel(input: $input) { __typename ${FAILED} } }`, {
            input: { id, defaultTaxZoneId: zone, defaultShippingZoneId: zone, pricesIncludeTax, defaultCurrencyCode: "PEN", availableCurrencyCodes: ["PEN", "USD"] },
        });
        this.method = await this.create("ShippingMethod", {
            code: "post", fulfillmentHandler: "manual-fulfillment", translations: named("Post"),
            checker: operation("default-shipping-eligibility-checker", { orderMinimum: 0 }),
            calculator: operation("default-shipping-calculator", { rate: 500, includesTax: "auto", taxRate: TAX }),
        });
        await this.create("PaymentMethod", {
            code: "cash", enabled: true, translations: named("Cash"),
            handler: operation("dummy-payment-handler", { automaticSettle: true }),
        });
        const [first] = (await this.admin.ask("{ stockLocations { items { id } } }")).items;
        this.places = [first.id, await this.create("StockLocation", { name: "Store" })];
        for (const [sku, price, category, track] of [
            ["MUG", 1999, goods, "INHERIT"], ["TEA", 333, goods, "TRUE"], ["POEMS", 2550, books, "INHERIT"],
            ["LAMP", 4590, goods, "INHERIT"], ["CARD", 150, goods, "FALSE"],
        ]) {
            const productId = await this.create("Product", { translations: withPage(`${sku} of the shop`) });
            const [variant] = await this.admin.ask(
                "mutation ($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id name } }",
                { input: [{ productId, sku, price, taxCategoryId: category, trackInventory: track, translations: [{ languageCode: "en", name: `A ${sku}` }],
                    prices: [{ currencyCode: "PEN", price }, { currencyCode: "USD", price: Math.round(price / 4) }],
                    stockLevels: [{ stockLocationId: this.places[0], stockOnHand: 300 }, { stockLocationId: this.places[1], stockOnHand: 40 }] }] });
            this.variants[sku] = { id: variant.id, productId };
            this.book.names[sku] = variant.name;
        }
        await this.create("Collection", { filters: [operation("variant-id-filter", { variantIds: JSON.stringify(["MUG", "TEA", "LAMP"].map(sku => this.variants[sku].id)), combineWithAnd: true })], translations: withPage("Kitchen") });
        await this.create("Promotion", { enabled: true, conditions: [operation("minimum_order_amount", { amount: 8000, taxInclusive: true })], actions: [operation("order_percentage_discount", { discount: 7 })], translations: named("Seven off") });
    }

    /** Put so much in a basket and go to the till; what is ordered is paid by pay(). */
    async basket(wanted, currency = "PEN") {
        const buyer = new Visitor(`${this.base}/shop?currencyCode=${currency}`);
        for (const [sku, quantity] of Object.entries(wanted)) {
            await buyer.ask(
                `mutation ($id: ID!, $quantity: Int!) { addItemToOrder(productVariantId: $id, quantity: $quantity) { __typename ${FAILED} } }`,
                { id: this.variants[sku].id, quantity });
        }
        await buyer.ask(`mutation ($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) { __typename ${FAILED} } }`, {
            input: { firstName: "Ana", lastName: "Quispe", emailAddress: `ana${this.chance(1000)}@example.com` },
        });
        await buyer.ask(`mutation ($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) { __typename ${FAILED} } }`, {
            input: { streetLine1: "Jr. Puno 1", countryCode: "PE" },
        });
        await buyer.ask(`mutation ($id: [ID!]!) { setOrderShippingMethod(shippingMethodId: $id) { __typename ${FAILED} } }`, { id: [this.method] });
        await buyer.ask(`mutation { transitionOrderToState(state: "ArrangingPayment") { __typename ${FAILED} } }`);
        return buyer;
    }

    /** Pay for a basket, which makes it an order: its id, and its lines by SKU. */
    async pay(buyer) {
        const order = await buyer.ask(
            `mutation { addPaymentToOrder(input: { method: "cash", metadata: {} })
             { ... on Order { id code currencyCode lines { id quantity productVariant { sku } } } ${FAILED} } }`);
        const lines = Object.fromEntries(order.lines.map(line => [line.productVariant.sku, line.id]));
        return { id: order.id, code: order.code, currency: order.currencyCode, lines, quantities: Object.fromEntries(order.lines.map(line => [line.productVariant.sku, line.quantity])) };
    }

    async order(wanted, currency) {
        return this.pay(await this.basket(wanted, currency));
    }

    lines(order, quantities) {
        return Object.entries(quantities).map(([sku, quantity]) => ({ orderLineId: order.lines[sku], quantity }));
    }

    count(quantities, sign) {
        for (const [sku, quantity] of Object.entries(quantities)) this.book.moved.push([this.today, sku, sign * quantity]);
    }

    /** So much of an order leaves the house; the shipment's id. */
    async ship(order, quantities = order.quantities) {
        const { id } = await this.admin.ask(
            `mutation ($input: FulfillOrderInput!) { addFulfillmentToOrder(input: $input) { ... on Fulfillment { id } ${FAILED} } }`,
            { input: { lines: this.lines(order, quantities), handler: operation("manual-fulfillment", { method: "post", trackingCode: "-" }) } });
        await this.move(id, "Shipped");
        if (order.currency === "PEN") this.count(quantities, 1);
        return id;
    }

    async move(shipment, state) {
        await this.admin.ask(
            `mutation ($id: ID!, $state: String!) { transitionFulfillmentToState(id: $id, state: $state) { ... on Fulfillment { id } ${FAILED} } }`,
            { id: shipment, state });
    }

    /** Some of an order is cancelled: it was not shipped, or has come back, which the book is told. */
    async cancel(order, quantities, cameBack) {
        await this.admin.ask(
            `mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { ... on Order { id } ${FAILED} } }`,
            { input: { orderId: order.id, lines: this.lines(order, quantities), reason: "as the customer said" } });
        if (cameBack) this.count(quantities, -1);
    }

    async refund(order, amount) {
        const { payments } = await this.admin.ask("query ($id: ID!) { order(id: $id) { payments { id } } }", { id: order.id });
        await this.admin.ask(
            `mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { ... on Refund { id } ${FAILED} } }`,
            { input: { paymentId: payments[0].id, amount, lines: [], shipping: 0, adjustment: 0, reason: "sorry" } });
    }

    /** Lines of an order get other quantities; of what had been shipped, less is what came back. */
    async modify(order, quantities) {
        await this.state(order, "Modifying");
        const { payments } = await this.admin.ask("query ($id: ID!) { order(id: $id) { payments { id } } }", { id: order.id });
        await this.admin.ask(
            `mutation ($input: ModifyOrderInput!) { modifyOrder(input: $input) { ... on Order { id } ${FAILED} } }`,
            { input: { dryRun: false, orderId: order.id, adjustOrderLines: this.lines(order, quantities), refunds: [{ paymentId: payments[0].id }] } });
        const { totalWithTax, payments: paid } = await this.admin.ask(
            "query ($id: ID!) { order(id: $id) { totalWithTax payments { amount refunds { total } } } }", { id: order.id });
        const lacks = totalWithTax - paid.reduce((sum, one) => sum + one.amount - one.refunds.reduce((all, refund) => all + refund.total, 0), 0);
        if (lacks > 0) {
            await this.state(order, "ArrangingAdditionalPayment");
            await this.admin.ask(
                `mutation ($input: ManualPaymentInput!) { addManualPaymentToOrder(input: $input) { ... on Order { id } ${FAILED} } }`,
                { input: { orderId: order.id, method: "cash", transactionId: "1", metadata: {} } });
        }
        await this.state(order, "PaymentSettled");
        Object.assign(order.quantities, quantities);
    }

    async state(order, state) {
        await this.admin.ask(
            `mutation ($id: ID!, $state: String!) { transitionOrderToState(id: $id, state: $state) { ... on Order { id } ${FAILED} } }`,
            { id: order.id, state });
    }

    async change(sku, input) {
        await this.admin.ask(
            "mutation ($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }",
            { input: [{ id: this.variants[sku].id, ...input }] });
    }

    /** Somebody types what is there at a location: goods came in, or were counted. */
    async level(sku, place, change) {
        const levels = await this.levels();
        const [, , there] = levels.find(([id, at]) => id === this.variants[sku].id && at === this.places[place]);
        await this.change(sku, { stockLevels: [{ stockLocationId: this.places[place], stockOnHand: there + change }] });
    }

    async rename(sku, name) {
        await this.change(sku, { translations: [{ languageCode: "en", name }] });
        this.book.names[sku] = name;
    }

    async drop(sku) {
        await this.admin.ask("mutation ($id: ID!) { deleteProductVariant(id: $id) { result } }", { id: this.variants[sku].id });
        this.book.deleted.push(sku);
    }

    /** Close a location, of which another takes over what is there. */
    async close(place, into) {
        await this.admin.ask("mutation ($input: DeleteStockLocationInput!) { deleteStockLocation(input: $input) { result message } }",
            { input: { id: this.places[place], transferToLocationId: this.places[into] } });
    }

    begin(number) {
        this.today = number;
    }

    /** What happens on the day so many days after the first. */
    async day(number) {
        this.begin(number);
        const skus = ["MUG", "TEA", "POEMS", "CARD"].concat(number < 40 ? ["LAMP"] : []);
        const wanted = {};
        for (let n = 1 + this.chance(3); n > 0; n--) wanted[skus[this.chance(skus.length)]] = 1 + this.chance(5);
        const order = await this.order(wanted);
        this.open.push(order);
        if (number % 2) {
            const sent = this.open.shift();
            await this.ship(sent);
            this.shipped.push(sent);
        }
        if (number % 7 === 4 && this.open.length) {
            const gone = this.open.pop();
            await this.cancel(gone, gone.quantities, false);
        }
        if (number % 5 === 3 && this.shipped.length) {
            const back = this.shipped.shift();
            const [sku] = Object.keys(back.quantities);
            await this.cancel(back, { [sku]: 1 }, true);
            await this.refund(back, 100);
        }
        await this.special(number);
    }

    /** What happens once. */
    async special(number) {
        const happens = {
            3: async () => this.level("MUG", 0, 24),
            6: async () => {
                // In two shipments, of which the first is cancelled and sent again.
                const order = await this.order({ TEA: 9, MUG: 4 });
                const first = await this.ship(order, { TEA: 4 });
                await this.ship(order, { TEA: 5, MUG: 4 });
                await this.move(first, "Cancelled");
                this.count({ TEA: 4 }, -1);
                await this.ship(order, { TEA: 4 });
                this.shipped.push(order);
            },
            9: async () => this.level("TEA", 1, -2),
            11: async () => {
                // From one location to the other, by hand: there is no other way.
                await this.level("POEMS", 0, -15);
                await this.level("POEMS", 1, 15);
            },
            13: async () => {
                // A line is made larger, and its price has risen since.
                const order = await this.order({ POEMS: 2, MUG: 1 });
                await this.ship(order);
                await this.change("POEMS", { price: 2790 });
                await this.modify(order, { POEMS: 5 });
                await this.ship(order, { POEMS: 3 });
                // And smaller: two come back.
                await this.modify(order, { POEMS: 3 });
                this.count({ POEMS: 2 }, -1);
            },
            16: async () => this.rename("MUG", "A blue MUG"),
            18: async () => {
                const order = await this.order({ LAMP: 3, TEA: 2 });
                await this.ship(order);
                await this.cancel(order, { LAMP: 3, TEA: 2 }, true);
            },
            40: async () => {
                while (this.open.length) await this.ship(this.open.shift());
                await this.drop("LAMP");
            },
        };
        await happens[number]?.();
    }

    // What Vendure's own figure of stock tells otherwise than its documents.

    /** Two lines that are kept at two locations: shipped at once, and in two shipments. */
    async split() {
        for (const parts of [[5], [2, 3]]) {
            await this.change("TEA", { stockLevels: [{ stockLocationId: this.places[0], stockOnHand: 3 + await this.allocated("TEA", 0) }] });
            const order = await this.order({ TEA: 5 });
            for (const part of parts) await this.ship(order, { TEA: part });
            await this.cancel(order, { TEA: 1 }, true);
        }
    }

    async allocated(sku, place) {
        const levels = await this.levels();
        return levels.find(([id, at]) => id === this.variants[sku].id && at === this.places[place])[3];
    }

    /** The rest of a line is cancelled, of which some was shipped. */
    async rest() {
        const order = await this.order({ MUG: 5 });
        await this.ship(order, { MUG: 2 });
        await this.cancel(order, { MUG: 3 }, false);
    }

    /** Two buy the last one. */
    async last() {
        const levels = await this.levels();
        for (const place of [0, 1]) {
            await this.change("POEMS", { stockLevels: [{ stockLocationId: this.places[place], stockOnHand: (place ? 0 : 1) + await this.allocated("POEMS", place) }] });
        }
        const [first, second] = [await this.basket({ POEMS: 1 }), await this.basket({ POEMS: 1 })];
        const [served, late] = [await this.pay(first), await this.pay(second)];
        await this.ship(late);
        await this.ship(served);
    }

    /** Somebody pays in dollars. */
    async dollars() {
        await this.ship(await this.order({ TEA: 3 }, "USD"));
    }

    /** What Vendure says is there: variant, location, on hand, allocated. */
    async levels() {
        const { items } = await this.admin.ask(
            "{ productVariants(options: { take: 100 }) { items { id trackInventory stockLevels { stockLocationId stockOnHand stockAllocated } } } }");
        return items.flatMap(one => one.stockLevels.map(level => [one.id, level.stockLocationId, level.stockOnHand, level.stockAllocated, one.trackInventory !== "FALSE"]));
    }

    /** What Vendure says of each line of each order, in minor units. */
    async orders() {
        const all = [];
        for (let skip = 0; ; skip += 50) {
            const { items, totalItems } = await this.admin.ask(
                `query ($skip: Int!) { orders(options: { take: 50, skip: $skip, sort: { id: ASC } }) { totalItems items {
                   code currencyCode active subTotal subTotalWithTax
                   lines { id quantity productVariant { sku } taxRate
                     proratedUnitPrice proratedUnitPriceWithTax proratedLinePrice proratedLinePriceWithTax
                     fulfillmentLines { quantity fulfillment { state } } } } } }`, { skip });
            all.push(...items);
            if (all.length >= totalItems) return all;
        }
    }
}

const port = await freePort();
const app = await vendure.bootstrap(configuration(port));
await app.get(vendure.JobQueueService).start();
const trade = new Trade(port);
console.error(`Vendure ${vendure.VENDURE_VERSION}, ids: ${strategy}`);
for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...rest] = JSON.parse(line);
    const said = name === "book" || name === "variants" || name === "places" ? trade[name] : await trade[name](...rest);
    process.stdout.write(`${JSON.stringify(said ?? null)}\n`);
}
await app.close();
process.exit(0);
