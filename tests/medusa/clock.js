// What Medusa takes for now: the real time, and the seconds that the file SHOP_CLOCK says on top. Medusa
// dates each document by its own clock, and weeks of trade are to be had in minutes.
const { readFileSync } = require("fs")

const Real = Date
const now = () => Real.now() + 1000 * Number(readFileSync(process.env.SHOP_CLOCK, "utf8"))

globalThis.Date = new Proxy(Real, {
  construct: (target, given, called) =>
    Reflect.construct(target, given.length ? given : [now()], called),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
})
