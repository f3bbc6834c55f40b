"""What the generated shop sells: a fixed list of Spanish names, costs and habits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

BRANCHES = {1: "Centro", 2: "Mercado Norte", 3: "Los Olivos"}

# A shelf: name | prefix of its codes | margin on the price | how well it sells | days
# on which the supplier comes | how much more is sold in the southern summer | brands.
# Below it, its products: name: presentation and first cost; … "(kg)" is sold by
# weight. Each presentation exists once for every brand.
_SHELVES = """
Abarrotes | ABA | 0.18 | 1.1 | lu ju | +0.00 | Pascual, Cosecha
    Arroz superior: 750 g 2.60; 5 kg 16.40
    Arroz integral: 1 kg 4.90
    Azúcar rubia: 1 kg 3.10; 5 kg 15.20
    Aceite vegetal: 900 ml 6.90; 200 ml 2.10
    Fideos tallarín: 500 g 2.05
    Fideos canuto: 250 g 1.15
    Lenteja: 500 g 3.40
    Frejol canario: 500 g 5.20
    Garbanzo: 500 g 4.60
    Quinua: 500 g 6.80
    Avena en hojuelas: 300 g 2.30
    Harina de trigo: 1 kg 3.60
    Sal de mesa: 1 kg 1.20
    Atún en trozos: 170 g 4.10
    Filete de caballa: 170 g 3.30
    Salsa de tomate: 200 g 1.60
    Mayonesa: 190 g 3.20
    Mermelada de fresa: 310 g 4.20
Bebidas | BEB | 0.24 | 1.4 | ma vi | +0.45 | Cordillera, Brisa
    Agua sin gas: 625 ml 0.85; 2.5 L 2.10
    Agua con gas: 625 ml 0.90
    Gaseosa cola: 500 ml 1.55; 1.5 L 3.70; 3 L 7.10
    Gaseosa amarilla: 500 ml 1.55; 1.5 L 3.80
    Néctar de durazno: 300 ml 1.20; 1 L 3.40
    Néctar de mango: 1 L 3.40
    Bebida rehidratante: 500 ml 2.10
    Chicha morada: 1 L 3.90
    Té helado: 500 ml 1.90
    Café instantáneo: 180 g 15.80
Lácteos y huevos | LAC | 0.16 | 1.7 | lu mi vi | +0.00 | Pradera, Vaquita
    Leche evaporada: 400 g 3.25
    Leche fresca entera: 1 L 4.60
    Leche sin lactosa: 1 L 5.10
    Yogur de fresa: 1 L 5.40; 180 g 1.55
    Yogur natural: 1 L 5.60
    Mantequilla con sal: 200 g 6.90
    Margarina: 225 g 3.10
    Queso edam tajado: 200 g 8.40
    Crema de leche: 250 ml 5.20
    Manjar blanco: 250 g 4.10
    Huevos rosados: x 15 8.60; x 30 16.80
Carnes y embutidos | CAR | 0.20 | 1.3 | ma ju sá | +0.00 | -
    Pollo entero (kg): 7.20
    Pechuga de pollo (kg): 11.90
    Pierna de pollo (kg): 8.60
    Bistec de res (kg): 23.50
    Carne molida (kg): 17.80
    Chuleta de cerdo (kg): 15.60
    Hígado de pollo (kg): 5.90
    Pescado bonito (kg): 9.80
    Queso fresco (kg): 16.20
    Jamonada (kg): 13.40
    Jamón inglés: 200 g 6.10
    Salchicha de pollo: 250 g 4.30
    Chorizo parrillero: 500 g 10.20
    Tocino ahumado: 150 g 7.80
Frutas | FRU | 0.30 | 1.6 | lu ma mi ju vi sá | +0.25 | -
    Plátano de seda (kg): 2.10
    Manzana delicia (kg): 3.90
    Manzana israel (kg): 3.20
    Naranja para jugo (kg): 1.70
    Mandarina (kg): 2.60
    Papaya (kg): 2.90
    Piña golden (kg): 2.40
    Uva red globe (kg): 6.10
    Fresa (kg): 5.80
    Palta fuerte (kg): 7.20
    Limón sutil (kg): 4.40
    Mango kent (kg): 3.70
    Sandía (kg): 1.60
    Maracuyá (kg): 3.80
Verduras | VER | 0.32 | 1.8 | lu ma mi ju vi sá | +0.00 | -
    Papa amarilla (kg): 3.60
    Papa blanca (kg): 1.70
    Camote amarillo (kg): 1.50
    Yuca (kg): 2.10
    Cebolla roja (kg): 2.20
    Tomate italiano (kg): 2.80
    Zanahoria (kg): 1.60
    Zapallo macre (kg): 1.80
    Choclo (kg): 2.90
    Ajo pelado (kg): 9.40
    Ají amarillo (kg): 5.70
    Brócoli (kg): 3.50
    Pepinillo (kg): 1.90
    Arveja verde (kg): 4.80
    Lechuga orgánica: unidad 1.30
    Apio: atado 1.90
    Culantro: atado 0.70
    Espinaca: atado 1.60
Panadería | PAN | 0.34 | 2.6 | lu ma mi ju vi sá do | -0.10 | -
    Pan francés (kg): 5.20
    Pan yema (kg): 6.10
    Pan integral (kg): 6.40
    Pan de molde blanco: 500 g 4.90
    Pan de molde integral: 500 g 5.60
    Bizcocho: unidad 1.40
    Empanada de pollo: unidad 2.60
    Empanada de carne: unidad 2.80
    Alfajor: unidad 1.10
    Keke de vainilla: unidad 7.80
    Panetón: 900 g 17.50
    Tostadas: 200 g 3.30
Golosinas y galletas | GOL | 0.28 | 1.0 | mi | -0.10 | Travesura, Hogareña
    Galletas de soda: x 6 2.40
    Galletas de vainilla: x 6 2.10
    Galletas de chocolate: x 6 3.30
    Chocolate con leche: 30 g 1.40
    Chocolate para taza: 90 g 3.10
    Caramelos surtidos: 100 g 1.70
    Chicles de menta: x 10 1.20
    Gomitas: 90 g 1.90
    Papas fritas: 42 g 1.45; 150 g 4.40
    Camotes fritos: 42 g 1.50
    Maní salado: 100 g 2.10
    Canchita dulce: 80 g 1.30
Limpieza | LIM | 0.27 | 0.7 | ma vi | +0.00 | Fulgor, Clara
    Detergente en polvo: 750 g 6.20; 2 kg 15.30
    Jabón de lavar: 210 g 2.30
    Lejía: 680 ml 1.70; 2 L 4.60
    Lavavajilla en pasta: 450 g 3.70
    Lavavajilla líquido: 500 ml 5.10
    Suavizante: 800 ml 6.40
    Limpiatodo de lavanda: 900 ml 3.80
    Esponja de cocina: x 3 2.20
    Bolsas para basura: x 10 3.10
    Papel toalla: x 2 4.30
    Escoba: unidad 8.90
    Insecticida: 360 ml 10.60
Cuidado personal | CUI | 0.29 | 0.6 | mi | +0.10 | Alba, Botánica
    Papel higiénico: x 4 3.90; x 12 11.20
    Jabón de tocador: 125 g 2.60
    Champú: 400 ml 10.80; 18 ml 0.75
    Bálsamo: 400 ml 11.20
    Pasta dental: 100 ml 4.70
    Cepillo dental: unidad 3.20
    Desodorante en barra: 50 g 8.30
    Toallas higiénicas: x 10 4.10
    Máquina de afeitar: x 2 4.60
    Crema corporal: 400 ml 12.40
    Alcohol en gel: 250 ml 4.90
    Algodón: 50 g 2.10
Bebés y mascotas | BEM | 0.22 | 0.5 | ju | +0.00 | Ternura, Compañeros
    Pañales talla M: x 20 16.90
    Pañales talla G: x 20 18.40
    Toallitas húmedas: x 80 6.70
    Cereal infantil: 400 g 9.80
    Compota de manzana: 113 g 2.40
    Comida para perro: 1 kg 9.40; 8 kg 66.00
    Comida para gato: 500 g 6.80
    Sobre para gato: 85 g 2.20
    Arena sanitaria: 4 kg 13.70
Bazar y útiles | BAZ | 0.38 | 0.4 | lu | +0.15 | Práctico, Escolar
    Cuaderno cuadriculado: x 80 2.60
    Lapicero azul: unidad 0.55
    Lápiz: x 2 0.90
    Borrador: unidad 0.40
    Pilas AA: x 2 4.20
    Foco LED 9 W: unidad 4.80
    Velas: x 4 2.30
    Fósforos: x 10 1.90
    Cinta adhesiva: unidad 1.60
    Vasos descartables: x 25 2.70
    Platos descartables: x 10 2.20
    Papel aluminio: 5 m 3.40
"""
_WEEKDAYS = ("lu", "ma", "mi", "ju", "vi", "sá", "do")


@dataclass(frozen=True)
class Category:
    """A shelf: margin is a share of the price, `visits` the supplier's weekdays, 0 is Monday."""

    name: str
    prefix: str
    margin: Decimal
    appeal: float
    visits: tuple[int, ...]
    summer: float
    brands: tuple[str, ...]

    @property
    def days_between_visits(self) -> float:
        """How long the shop waits for the next delivery, on average."""
        return 7 / len(self.visits)


@dataclass(frozen=True)
class Product:
    """A product on the shelf; `share` is its weight among all sales, `cost` its first cost."""

    id: int
    code: str
    name: str
    category: Category
    weighed: bool
    cost: Decimal
    share: float


def catalogue(seed: int) -> list[Product]:
    """Every product, with popularity drawn from the seed: a few sell most of it."""
    entries = list(_entries())
    ranks = list(range(len(entries)))
    random.Random(f"{seed}/popularity").shuffle(ranks)
    counts: dict[str, int] = {}
    products: list[Product] = []
    for (category, name, cost), rank in zip(entries, ranks, strict=True):
        number = counts[category.prefix] = counts.get(category.prefix, 0) + 1
        products.append(
            Product(
                id=len(products) + 1,
                code=f"{category.prefix}-{number:03}",
                name=name,
                category=category,
                weighed=name.endswith("(kg)"),
                cost=cost,
                share=category.appeal / (rank + 8),
            )
        )
    return products


def _entries() -> Iterator[tuple[Category, str, Decimal]]:
    """Category, full name and cost of every product, in the order of the table."""
    category: Category | None = None
    for line in _SHELVES.strip().splitlines():
        if not line.startswith(" "):
            category = _category(line)
            continue
        assert category, "the table begins with a shelf"
        name, _, presentations = line.strip().partition(": ")
        for presentation in presentations.split("; "):
            size, _, cost = presentation.rpartition(" ")
            for brand in category.brands:
                yield category, " ".join(filter(None, (name, brand, size))), Decimal(cost)


def _category(line: str) -> Category:
    name, prefix, margin, appeal, visits, summer, brands = line.split(" | ")
    return Category(
        name=name,
        prefix=prefix,
        margin=Decimal(margin),
        appeal=float(appeal),
        visits=tuple(_WEEKDAYS.index(day) for day in visits.split()),
        summer=float(summer),
        brands=("",) if brands == "-" else tuple(brands.split(", ")),
    )
