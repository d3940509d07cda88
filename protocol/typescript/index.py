"""The bindings' ``index.ts``: the module's schema, and the classes that applications use."""

from __future__ import annotations

from protocol.schema import ModuleSchema, TableSchema, ViewSchema, constraint_name
from protocol.typescript.names import camel_case, check_distinct, pascal_case, quote, snake_case

__all__ = ["CLI_VERSION", "index_file"]

CLI_VERSION = "2.10.1"
"""What the SDK takes for the generator's version; it wants 1.4.0 or newer."""

_IMPORTS = """\
import {
  DbConnectionBuilder as __DbConnectionBuilder,
  DbConnectionImpl as __DbConnectionImpl,
  SubscriptionBuilderImpl as __SubscriptionBuilderImpl,
  convertToAccessorMap as __convertToAccessorMap,
  makeQueryBuilder as __makeQueryBuilder,
  procedureSchema as __procedureSchema,
  procedures as __procedures,
  reducerSchema as __reducerSchema,
  reducers as __reducers,
  schema as __schema,
  table as __table,
  type DbConnectionConfig as __DbConnectionConfig,
  type ErrorContextInterface as __ErrorContextInterface,
  type EventContextInterface as __EventContextInterface,
  type QueryBuilder as __QueryBuilder,
  type ReducerEventContextInterface as __ReducerEventContextInterface,
  type RemoteModule as __RemoteModule,
  type SubscriptionEventContextInterface as __SubscriptionEventContextInterface,
  type SubscriptionHandleImpl as __SubscriptionHandleImpl,
} from 'spacetimedb';
"""

_MODULE = f"""\
const REMOTE_MODULE = {{
  versionInfo: {{
    cliVersion: '{CLI_VERSION}' as const,
  }},
  tables: tablesSchema.schemaType.tables,
  reducers: reducersSchema.reducersType.reducers,
  ...proceduresSchema,
}} satisfies __RemoteModule<
  typeof tablesSchema.schemaType,
  typeof reducersSchema.reducersType,
  typeof proceduresSchema
>;

/** The tables and views; each is also a query builder. */
export const tables: __QueryBuilder<typeof tablesSchema.schemaType> =
  __makeQueryBuilder(tablesSchema.schemaType);

/** The reducers that clients may call. */
export const reducers = __convertToAccessorMap(reducersSchema.reducersType.reducers);

/** The procedures that clients may call. */
export const procedures = __convertToAccessorMap(proceduresSchema.procedures);

/** Context of callbacks for any event. */
export type EventContext = __EventContextInterface<typeof REMOTE_MODULE>;
/** Context of callbacks for reducer events. */
export type ReducerEventContext = __ReducerEventContextInterface<typeof REMOTE_MODULE>;
/** Context of callbacks for subscription events. */
export type SubscriptionEventContext = __SubscriptionEventContextInterface<
  typeof REMOTE_MODULE
>;
/** Context of callbacks for errors. */
export type ErrorContext = __ErrorContextInterface<typeof REMOTE_MODULE>;
/** A live subscription. */
export type SubscriptionHandle = __SubscriptionHandleImpl<typeof REMOTE_MODULE>;

/** Configures a subscription. */
export class SubscriptionBuilder extends __SubscriptionBuilderImpl<typeof REMOTE_MODULE> {{}}

/** Configures a connection. */
export class DbConnectionBuilder extends __DbConnectionBuilder<DbConnection> {{}}

/** A connection to the module, typed by its schema. */
export class DbConnection extends __DbConnectionImpl<typeof REMOTE_MODULE> {{
  /** Begin to configure a connection. */
  static builder = (): DbConnectionBuilder => {{
    return new DbConnectionBuilder(
      REMOTE_MODULE,
      (config: __DbConnectionConfig<typeof REMOTE_MODULE>) => new DbConnection(config)
    );
  }};

  /** Begin to configure a subscription. */
  override subscriptionBuilder = (): SubscriptionBuilder => {{
    return new SubscriptionBuilder(this);
  }};
}}"""


def _columns(columns: tuple[str, ...]) -> str:
    return ", ".join(quote(camel_case(column)) for column in columns)


def _table(source: TableSchema | ViewSchema) -> list[str]:
    """Lines of one entry of the schema.

    The SDK's types know unique constraints of one column only; others are left out.
    """
    indexes: list[str] = []
    constraints: list[str] = []
    event: list[str] = []
    if isinstance(source, TableSchema):
        for index in source.indexes:
            accessor = camel_case(index.accessor or "_".join(index.columns))
            indexes.append(
                f"        {{ accessor: {quote(accessor)}, name: {quote(index.name)}, "
                f"algorithm: 'btree', columns: [{_columns(index.columns)}] }},"
            )
        constraints = [
            f"        {{ name: {quote(name)}, constraint: 'unique', columns: [{_columns(key)}] }},"
            for key, name in _single_constraints(source)
        ]
        event = ["      event: true,"] if source.is_event else []
    return [
        f"  {camel_case(source.name)}: __table(",
        "    {",
        f"      name: {quote(source.name)},",
        *(["      indexes: [", *indexes, "      ],"] if indexes else ["      indexes: [],"]),
        *(
            ["      constraints: [", *constraints, "      ],"]
            if constraints
            else ["      constraints: [],"]
        ),
        *event,
        "    },",
        f"    {pascal_case(source.name)}Row",
        "  ),",
    ]


def _single_constraints(table: TableSchema) -> list[tuple[tuple[str, ...], str]]:
    return [(key, constraint_name(table.name, key)) for key in table.unique if len(key) == 1]


def index_file(schema: ModuleSchema) -> list[str]:
    """Lines of ``index.ts`` for the visible part of a module.

    Raises:
        SchemaError: two accessors become one in camel case.
    """
    sources: tuple[TableSchema | ViewSchema, ...] = (*schema.tables, *schema.views)
    check_distinct((camel_case(source.name) for source in sources), "tables")
    check_distinct((camel_case(one.name) for one in schema.reducers), "reducers")
    check_distinct((camel_case(one.name) for one in schema.procedures), "procedures")
    lines = [_IMPORTS]
    for reducer in schema.reducers:
        file = f"{snake_case(reducer.name)}_reducer.js"
        lines.append(f"import {pascal_case(reducer.name)}Reducer from './{file}';")
    for procedure in schema.procedures:
        file = f"{snake_case(procedure.name)}_procedure.js"
        lines.append(f"import * as {pascal_case(procedure.name)}Procedure from './{file}';")
    for source in sources:
        file = f"{snake_case(source.name)}_table.js"
        lines.append(f"import {pascal_case(source.name)}Row from './{file}';")
    lines += ["", "const tablesSchema = __schema({"]
    for source in sources:
        lines += _table(source)
    lines += ["});", "", "const reducersSchema = __reducers("]
    for reducer in schema.reducers:
        lines.append(
            f"  __reducerSchema({quote(reducer.name)}, {pascal_case(reducer.name)}Reducer),"
        )
    lines += [");", "", "const proceduresSchema = __procedures("]
    for procedure in schema.procedures:
        name = f"{pascal_case(procedure.name)}Procedure"
        lines.append(
            f"  __procedureSchema({quote(procedure.name)}, {name}.params, {name}.returnType),"
        )
    return [*lines, ");", "", *_MODULE.split("\n")]
